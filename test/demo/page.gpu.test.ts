import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, ElementHandle, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { enginePage } from '../support/engine-page.ts';
import { writeOnnx } from '../support/onnx-writer.ts';
import { stateOf, writeState } from '../support/safetensors-models.ts';
import { browsers, suite } from '../support/suite.ts';
import { openPage, type PageServer, servePage, text, until } from './page.ts';

let server: PageServer;
let folder = '';

/** Files that are no models, or damaged ones, and what the page must say of each. */
const damaged: Record<string, { files: string[]; says: RegExp }> = {};
/** Two models and labels. */
let several: string[] = [];

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

beforeAll(async () => {
  server = await servePage();

  folder = mkdtempSync(join(tmpdir(), 'page-files-'));
  const onnx = readFileSync('node_modules/detypify-service/train/model.onnx');
  const tfjs = readFileSync('node_modules/@vladmandic/human/models/faceres.json');
  const unknown = writeOnnx({
    nodes: [{ op: 'Einsum', name: 'mixer', inputs: ['x'], outputs: ['y'] }],
    inputs: [{ name: 'x', type: 'float', dims: [1, 1, 8, 8] }],
    outputs: [{ name: 'y', type: 'float' }],
  });
  const weights = writeState(stateOf(buildArchitecture('v1-0.25-64', { classes: 5 }), 'v1', 'timm'));
  several = [
    put('first.safetensors', weights),
    put('second.safetensors', weights),
    put('labels.txt', 'ash\nbirch\ncedar\ndogwood\nelm\n'),
  ];
  damaged['a truncated file'] = {
    files: [put('cut.onnx', onnx.subarray(0, onnx.length / 2))],
    says: /ModelFormatError[\s\S]*cut\.onnx/,
  };
  damaged['a model.json without its shard'] = {
    files: [put('model.json', tfjs)],
    says: /ModelFormatError[\s\S]*model\.json[\s\S]*faceres\.bin/,
  };
  damaged['an unknown operation'] = {
    files: [put('unknown.onnx', unknown)],
    says: /UnsupportedOpError[\s\S]*unknown\.onnx[\s\S]*mixer[\s\S]*Einsum/,
  };
  damaged['an empty file'] = { files: [put('empty.onnx', '')], says: /ModelFormatError[\s\S]*empty\.onnx[\s\S]*empty/ };
  damaged['a picture'] = { files: ['docs/page.png'], says: /ModelFormatError[\s\S]*page\.png[\s\S]*PNG/ };
});

afterAll(async () => {
  await server?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** Widths of screens: a phone's and a desk's, in the full suite those between and beyond as well. */
const screens = suite === 'full' ? [320, 360, 414, 768, 1024, 1440, 1920, 2560] : [360, 1440];

const modelIsReady = "document.querySelector('#model-facts').textContent.includes('dispatches')";

/** Draws an alpha with the mouse, as one stroke. */
async function drawAlpha(page: Page): Promise<void> {
  const box = (await (await page.$('#pad'))!.boundingBox())!;
  const alpha = [
    ...[
      [0.78, 0.3],
      [0.7, 0.45],
      [0.62, 0.58],
      [0.5, 0.68],
      [0.38, 0.68],
      [0.29, 0.58],
      [0.28, 0.46],
    ],
    ...[
      [0.34, 0.36],
      [0.45, 0.32],
      [0.55, 0.38],
      [0.63, 0.5],
      [0.7, 0.62],
      [0.78, 0.68],
    ],
  ] as const;
  const [start, ...rest] = alpha.map(([x, y]) => [box.x + box.width * x!, box.y + box.height * y!] as const);
  await page.mouse.move(...start!);
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...point);
  await page.mouse.up();
}

/** Runs in the page: its widths, what is too small for a finger (40 px), and texts below 14 px. */
function measureScreen(): { widths: number[]; smallTargets: string[]; smallTexts: string[] } {
  const visible = [...document.querySelectorAll<HTMLElement | SVGElement>('body *')].filter(
    (element) => element.getClientRects().length > 0 && !element.closest('.visually-hidden, .skip'),
  );
  const name = (element: Element) => `${element.tagName} ${element.id} ${element.textContent?.trim().slice(0, 20)}`;
  return {
    widths: [document.documentElement.scrollWidth, window.innerWidth],
    smallTargets: visible
      .filter((element) => element.matches('button, select, input, [role=tab], [role=option]'))
      .filter((element) => {
        // A radio button is as large as its label.
        const target = element.matches('[type=radio]') ? (element.closest('label') ?? element) : element;
        const { width, height } = target.getBoundingClientRect();
        return Math.min(width, height) < 39.5;
      })
      .map(name),
    smallTexts: visible
      .filter(({ childNodes }) =>
        [...childNodes].some(({ nodeType, data }: Node & { data?: string }) => nodeType === 3 && data?.trim()),
      )
      .filter((element) => Number.parseFloat(getComputedStyle(element).fontSize) < 14)
      .map(name),
  };
}

const guessNames = (page: Page): Promise<string[]> =>
  page.$$eval('#guesses > li', (items) => items.map((item) => (item as HTMLElement).innerText.replaceAll('\n', ' ')));

const hasGuesses =
  "document.querySelectorAll('#guesses > li:not(.guess-none)').length === 5 && /%/.test(document.querySelector('#guesses').innerText)";

describe.each(browsers)('the page in %s', (name) => {
  let browser: Browser;

  beforeAll(async () => {
    ({ browser } = await enginePage(name));
  });

  const open = (hash = '#draw', width = 1200) => openPage(browser, `${server.url}${hash}`, width);

  it('names a drawn alpha, and the GPU agrees with the CPU on it', async () => {
    const { page, errors } = await open();
    await until(page, modelIsReady);
    expect(await text(page, '#device')).toMatch(/WebGPU/);
    await drawAlpha(page);
    await until(page, hasGuesses);
    const guesses = await guessNames(page);
    expect(guesses).toHaveLength(5);
    expect(guesses[0]).toMatch(/α.*alpha/);
    await page.click('#check');
    await until(page, "document.querySelector('#check-result').dataset.ok !== undefined");
    const check = await page.$eval('#check-result', (element) => ({ ...(element as HTMLElement).dataset }));
    expect(check.ok).toBe('true');
    expect(Number(check.nmse)).toBeLessThan(1e-10);
    expect(Number(check.layers)).toBeGreaterThan(30);
    await page.click('#undo');
    await until(page, `!(${hasGuesses})`);
    expect(errors).toEqual([]);
    await page.close();
  });

  it('draws by keyboard', async () => {
    const { page } = await open();
    await until(page, modelIsReady);
    await page.focus('#pad');
    await page.keyboard.press('Enter');
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await until(page, hasGuesses);
    expect(await guessNames(page)).toHaveLength(5);
    await page.close();
  });

  it('says what is wrong with a bad file, and keeps the drawing and its model', async () => {
    const { page, errors } = await open();
    await until(page, modelIsReady);
    await drawAlpha(page);
    await until(page, hasGuesses);
    const [before] = await guessNames(page);
    for (const [what, { files, says }] of Object.entries(damaged)) {
      const input = (await page.$('#open-files')) as ElementHandle<HTMLInputElement>;
      await page.$eval('#model-message', (element) => {
        (element as HTMLElement).hidden = true;
      });
      await input.uploadFile(...files);
      await until(page, "!document.querySelector('#model-message').hidden");
      expect(await text(page, '#model-message'), what).toMatch(says);
      expect((await guessNames(page))[0], what).toBe(before);
    }
    await page.click('#check');
    await until(page, "document.querySelector('#check-result').dataset.ok === 'true'");
    expect(errors).toEqual([]);
    await page.close();
  });

  it('asks which of several models is meant, and says what the file leaves open', async () => {
    const { page, errors } = await open();
    await until(page, modelIsReady);
    const input = (await page.$('#open-files')) as ElementHandle<HTMLInputElement>;
    await input.uploadFile(...several);
    await until(page, "document.querySelectorAll('#model-message button').length === 2");
    expect(await text(page, '#model-message')).toMatch(/2 models[\s\S]*first\.safetensors[\s\S]*second\.safetensors/);
    await page.click('#model-message button:last-child');
    await until(page, "document.querySelector('#model-assumptions').childElementCount === 3");
    expect(await text(page, '#model-name')).toBe('second.safetensors');
    expect(await text(page, '#model-assumptions')).toMatch(
      /Assumed: config\.json is not beside it[\s\S]*pictures become the input as[\s\S]*224 × 224/,
    );
    await drawAlpha(page);
    await until(page, hasGuesses);
    // Named by the labels.txt that was handed over with it.
    expect((await guessNames(page))[0]).toMatch(/ash|birch|cedar|dogwood|elm/);
    await page.click('#reset-model');
    await until(page, "document.querySelector('#model-assumptions').hidden");
    expect(errors).toEqual([]);
    await page.close();
  });

  it('teaches the lesson with the numbers of the cost model, and runs it both ways', async () => {
    const { page, errors } = await open('#learn');
    await until(page, "/0\\.311/.test(document.querySelector('#ratio').innerText)");
    const counts = await text(page, '#counts');
    for (const number of ['2,160', '432', '240', '672']) expect(counts).toContain(number);
    await page.$eval('#learn-nk', (element) => {
      const input = element as HTMLInputElement;
      input.value = '512';
      input.dispatchEvent(new Event('input', { bubbles: true }));
      input.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await until(page, "/0\\.113/.test(document.querySelector('#ratio').innerText)");
    const setSide = (value: string) =>
      page.$eval(
        '#learn-n',
        (element, side) => {
          (element as HTMLInputElement).value = side;
          element.dispatchEvent(new Event('input', { bubbles: true }));
        },
        value,
      );
    await setSide('');
    expect(await text(page, '#learn-message')).toMatch(/^Input side must be a whole number from 1 to 112/);
    await setSide('6');
    await page.click('#try');
    await until(page, "document.querySelector('#try-result').dataset.agree === 'true'");
    expect(await text(page, '#try-result')).toMatch(/Both ways give the same output/);
    expect(errors).toEqual([]);
    await page.close();
  });

  it('compares GPU and CPU, layer by layer, and can be cancelled', async () => {
    const { page, errors } = await open('#compare');
    await until(page, "document.querySelector('#compare-model').options.length > 3");
    await page.select('#compare-model', 'v2-0.35-96');
    await page.click('#compare-run');
    await until(page, "/layers within their bounds/.test(document.querySelector('#layers-summary').innerText)");
    expect(await text(page, '#times')).toMatch(/GPU[\s\S]*CPU reference[\s\S]*validator, not a fast CPU/);
    // The network's 54, and the three stages of a picture's way through it.
    expect(await text(page, '#layers-summary')).toMatch(/57 of 57 layers within their bounds/);
    await page.click('#compare-run');
    await until(page, "!document.querySelector('#compare-cancel').disabled");
    await page.click('#compare-cancel');
    await until(page, "document.querySelector('#compare-cancel').disabled");
    expect(errors).toEqual([]);
    await page.close();
  });

  it('moves between its parts by keyboard', async () => {
    const { page } = await open();
    await page.focus('#tab-draw');
    await page.keyboard.press('ArrowRight');
    await until(page, "!document.querySelector('#panel-compare').hidden");
    await page.keyboard.press('ArrowRight');
    await until(page, "!document.querySelector('#panel-learn').hidden");
    expect(await page.$eval('#tab-learn', (tab) => tab.getAttribute('aria-selected'))).toBe('true');
    await page.close();
  });

  it.each(['', '#draw', '#compare', '#learn'])(
    'says on %s what is wrong with a file that is dropped there',
    async (hash) => {
      const { page, errors } = await open(hash);
      await until(page, "document.readyState === 'complete'");
      await page.evaluate(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['no model'], 'notes.txt'));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      });
      await until(page, "document.querySelector('#model-message').textContent !== ''");
      expect(await page.$eval('#model-message', (element) => element.checkVisibility())).toBe(true);
      const { top, bottom } = await page.$eval('#model-message', (element) => element.getBoundingClientRect().toJSON());
      expect([top >= 0, bottom <= 900]).toEqual([true, true]);
      expect(await text(page, '#model-message')).toMatch(/ModelFormatError[\s\S]*notes\.txt/);
      expect(errors).toEqual([]);
      await page.close();
    },
  );

  it('works without WebGPU, as on an http:// address of a LAN, on the CPU, and says so', async () => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push((error as Error).message));
    await page.setViewport({ width: 1200, height: 900 });
    await page.evaluateOnNewDocument(() => {
      Object.defineProperty(navigator, 'gpu', { value: undefined });
      delete (PointerEvent.prototype as Partial<PointerEvent>).getCoalescedEvents;
    });
    await page.goto(`${server.url}#draw`);
    await page.bringToFront();
    await until(page, modelIsReady);
    await drawAlpha(page);
    await until(page, hasGuesses);
    expect((await guessNames(page))[0]).toMatch(/alpha/);
    expect(await text(page, 'body')).toMatch(/WebGPU is not available here/);
    expect(errors).toEqual([]);
    await page.close();
  });

  it.each(screens)('fits a screen of %i px', async (width) => {
    for (const hash of ['', '#draw', '#compare', '#learn']) {
      const { page } = await open(hash, width);
      await until(page, "document.readyState === 'complete'");
      if (hash === '#learn') await until(page, "document.querySelector('#counts').innerText.length > 0");
      if (hash === '#compare') {
        await until(page, "document.querySelector('#compare-model').options.length > 3");
        await page.select('#compare-model', 'v1-0.25-128');
        await page.$eval('#compare-runs', (element) => {
          (element as HTMLInputElement).value = '1';
        });
        await page.click('#compare-run');
        await until(page, "document.querySelector('#compare-results').dataset.state === 'done'");
      }
      const { widths, smallTargets, smallTexts } = await page.evaluate(measureScreen);
      expect(widths[0], hash).toBeLessThanOrEqual(widths[1]!);
      expect(smallTargets, hash).toEqual([]);
      expect(smallTexts, hash).toEqual([]);
      await page.close();
    }
  });
});
