/** The See tab: pictures from everywhere, networks of the page and of the visitor, the camera, and what goes wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import type { Browser, ElementHandle, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { launchBrowser } from '../../src/cli/launch-browser.ts';
import { runPasses } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { browsers } from '../support/suite.ts';
import { openPage, type PageServer, paste, servePage, text, until } from './page.ts';

let server: PageServer;
let folder = '';
let classifier = '';

beforeAll(async () => {
  server = await servePage();
  folder = mkdtempSync(join(tmpdir(), 'page-see-'));
  classifier = join(folder, 'classifier.tflite');
  writeFileSync(classifier, writeTflite(runPasses(buildArchitecture('v1-0.25-64', { classes: 5 }))));
});

afterAll(async () => {
  await server?.close();
  if (folder) rmSync(folder, { recursive: true });
});

const found = (kind: string) =>
  `document.querySelector('#see-findings').dataset.kind === '${kind}' && !document.querySelector('#see-findings').ariaBusy`;

const findings = (page: Page): Promise<{ name: string; score: number }[]> =>
  page.$$eval('#see-findings > [data-name]', (rows) =>
    rows.map((row) => ({
      name: (row as HTMLElement).dataset.name!,
      score: Number((row as HTMLElement).dataset.score),
    })),
  );

/** Pixels of the overlay that are drawn on, of 1. */
const drawnShare = (page: Page): Promise<number> =>
  page.$eval('#see-overlay', (element) => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) drawn++;
    return (4 * drawn) / data.length;
  });

const choose = (page: Page, task: string) => page.click(`input[name=see-task][value=${task}]`);

describe.each(browsers)('See in %s', (name) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser(name, {
      log: () => {},
      camera: 'allowed',
      parentFolder: process.env.GPU_TEST_FOLDER,
    });
  });

  afterAll(() => browser?.close());

  it('finds a painted person, their joints, and oranges and a clock by name', async () => {
    const { page, errors, away } = await openPage(browser, server.url);
    await choose(page, 'pose');
    await until(page, found('poses'));
    expect((await findings(page))[0]!.name).toBe('person 1: 17 of 17 joints');
    expect(await drawnShare(page)).toBeGreaterThan(0.005);
    await choose(page, 'person');
    await until(page, found('mask'));
    const person = (await findings(page)).find((row) => row.name === 'person')!;
    expect(person.score).toBeGreaterThan(0.08);
    await page.click('[data-painting=oranges]');
    await choose(page, 'objects');
    await until(page, found('boxes'));
    expect((await findings(page)).map((row) => row.name)).toEqual(Array(5).fill('orange'));
    await page.click('[data-painting=clock]');
    await until(page, `${found('boxes')} && document.querySelector('#see-findings').dataset.found === '1'`);
    expect((await findings(page))[0]!.name).toBe('clock');
    expect(await text(page, '#see-status')).toMatch(/ m?s on (WebGPU|CPU)/);
    expect(await text(page, '#device')).toMatch(/WebGPU/);
    await page.click('#see-report summary');
    expect(await text(page, '#see-report')).toMatch(
      /Runs on\s+(WebGPU|CPU)[\s\S]*Self-check\s+(Self-check passed|It is for kernels on the GPU)[\s\S]*Numbers\s+Floats of 32 bits\./,
    );
    expect([errors, away]).toEqual([[], []]);
    await page.close();
  });

  it('classifies by a file that is dropped, asks what the file does not say, and shows where it looks', async () => {
    const { page, errors, away } = await openPage(browser, server.url);
    const input = (await page.$('#see-model-files')) as ElementHandle<HTMLInputElement>;
    await input.uploadFile(classifier);
    await until(page, found('classes'));
    expect(await page.$eval('#see-rule', (form) => (form as HTMLFormElement).hidden)).toBe(false);
    const before = await findings(page);
    expect(before).toHaveLength(5);
    await page.select('#see-preset', 'zeroToOne');
    await until(
      page,
      `${found('classes')} && ${before[0]!.score} !== Number(document.querySelector('#see-findings > li').dataset.score)`,
    );
    await page.click('.why');
    await until(page, "document.querySelector('#see-why').dataset.explained !== undefined");
    expect(await text(page, '#see-why-text')).toMatch(/What glows speaks for/);
    const strong = await drawnShare(page);
    await page.$eval('#see-strength', (element) => {
      (element as HTMLInputElement).value = '0';
      element.dispatchEvent(new Event('input', { bubbles: true }));
    });
    expect([strong > 0.3, await drawnShare(page)]).toEqual([true, 0]);
    expect([errors, away]).toEqual([[], []]);
    await page.close();
  });

  it('takes pictures that are pasted, and says what is wrong with those that are none', async () => {
    const { page, errors } = await openPage(browser, server.url);
    const width = "document.querySelector('#see-picture').width";
    const canvas = createCanvas(320, 200);
    await paste(page, canvas.toBuffer('image/png'), 'pasted.png', 'image/png');
    await until(page, `${width} === 320`);
    await paste(page, Buffer.from('no picture'), 'pasted.png', 'image/png');
    await until(page, "!document.querySelector('#see-message').hidden");
    expect(await text(page, '#see-message')).toMatch(
      /picture before is still here[\s\S]*PictureError[\s\S]*pasted\.png/,
    );
    expect(await page.evaluate(width)).toBe(320);
    await page.type('#see-address', 'http://pictures.test/cat.jpg');
    await page.click('#see-address-form button');
    await until(page, "/begins with https/.test(document.querySelector('#see-message').textContent)");
    expect(errors).toEqual([]);
    await page.close();
  });

  it('watches the camera, frame after frame, with what is chosen meanwhile, and stops', async () => {
    const { page, errors } = await openPage(browser, server.url, 1200, () => {
      const { getUserMedia } = MediaDevices.prototype;
      MediaDevices.prototype.getUserMedia = async function (...asked) {
        const stream = await getUserMedia.apply(this, asked);
        Object.assign(globalThis, { camera: stream });
        return stream;
      };
    });
    const live = "Number(document.querySelector('#see-picture').dataset.live)";
    await page.click('#see-camera');
    await until(page, `${live} >= 2`);
    expect(await text(page, '#see-status')).toBe('Choose what to look for.');
    await choose(page, 'person');
    await until(page, `${found('mask')} && ${live} >= 3`);
    expect(await text(page, '#see-status')).toMatch(
      /frames a second, each .* m?s old when its result is there, on (WebGPU|CPU)/,
    );
    await choose(page, 'pose');
    await until(page, `${found('poses')} && ${live} >= 3`);
    await page.click('#see-camera');
    await until(page, "document.querySelector('#see-picture').dataset.live === undefined");
    expect(await text(page, '#see-camera')).toBe('Start the camera');
    // The picture that was there last is looked at once more.
    await until(page, `/^[^,]* m?s on /.test(document.querySelector('#see-status').innerText)`);
    await page.click('#see-camera');
    await until(page, `${live} >= 2`);
    // As where it is unplugged.
    await page.evaluate("camera.getTracks()[0].dispatchEvent(new Event('ended'))");
    await until(page, "/no more pictures/.test(document.querySelector('#see-message').textContent)");
    expect(await text(page, '#see-message')).toMatch(/last picture is still here[\s\S]*still connected/);
    expect(await text(page, '#see-camera')).toBe('Start the camera');
    expect(errors).toEqual([]);
    await page.close();
  });

  it('says what to do where there is no camera', async () => {
    const { page, errors } = await openPage(browser, server.url);
    for (const [error, says] of [
      ['NotAllowedError', /allow it for this page/],
      ['NotFoundError', /there is no camera here/],
    ] as const) {
      await page.evaluate((kind) => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', kind));
      }, error);
      await page.click('#see-camera');
      await until(page, `${says}.test(document.querySelector('#see-message').textContent)`);
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  it('goes on when the GPU is lost, and keeps the picture', async () => {
    const { page, errors } = await openPage(browser, server.url, 1200, () => {
      if (!('GPUAdapter' in globalThis)) return;
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...options) {
        const device = await requestDevice.apply(this, options);
        Object.assign(globalThis, { lose: () => device.destroy() });
        return device;
      };
    });
    await choose(page, 'pose');
    await until(page, found('poses'));
    await page.evaluate("lose(), delete document.querySelector('#see-findings').dataset.kind");
    await page.click('[data-painting=person]');
    await until(page, `${found('poses')} && document.querySelector('#see-findings').dataset.found === '1'`);
    expect((await findings(page))[0]!.name).toBe('person 1: 17 of 17 joints');
    // And while it looks.
    await page.evaluate(
      "document.querySelector('[data-painting=person]').click(), delete document.querySelector('#see-findings').dataset.kind, setTimeout(lose)",
    );
    await until(page, `${found('poses')} && document.querySelector('#see-findings').dataset.found === '1'`);
    expect((await findings(page))[0]!.name).toBe('person 1: 17 of 17 joints');
    expect(errors).toEqual([]);
    await page.close();
  });

  it('looks without WebGPU, by the engine for the CPU', async () => {
    const { page, errors, away } = await openPage(browser, server.url, 1200, () => {
      Object.defineProperty(navigator, 'gpu', { value: undefined });
    });
    expect(await text(page, '#device')).toMatch(/No WebGPU here/);
    await choose(page, 'pose');
    await until(page, found('poses'));
    expect((await findings(page))[0]!.name).toBe('person 1: 17 of 17 joints');
    expect(await text(page, '#see-status')).toMatch(/on CPU · XNNPACK in WebAssembly/);
    expect([errors, away]).toEqual([[], []]);
    await page.close();
  });
});
