/** The page as it is published: built, without a violation of its policy or of accessibility, offline, and shared by links. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import type { Browser, Page } from 'puppeteer';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../../src/cli/launch-browser.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { type StaticServer, serveFolders } from '../support/static-server.ts';
import { browsers } from '../support/suite.ts';
import { openPage, paste, text, until } from './page.ts';

let folder = '';
let server: StaticServer;
/** A second origin with the models that the visitor asks for. */
let models: StaticServer;
let url = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'page-built-'));
  models = await serveFolders({ models: modelFolder || folder }, () => ({ 'Access-Control-Allow-Origin': '*' }));
  process.env.VITE_MODEL_MIRROR = `${models.url}/models/`;
  await build({ configFile: 'demo/vite.config.ts', logLevel: 'error', build: { outDir: folder } });
  delete process.env.VITE_MODEL_MIRROR;
  server = await serveFolders({ page: folder });
  url = `${server.url}/page/`;
});

afterAll(async () => {
  await server?.close();
  await models?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** What axe-core finds, a line for each place. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe: engine } = globalThis as unknown as { axe: typeof axe };
    const { violations: found } = await engine.run(document);
    return found.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  });
}

/** Bytes as they travel of what the built page asks for before anything is clicked. */
function firstPaintBytes(asked: readonly string[]): number {
  const files = [...new Set(asked)].map((path) => join(folder, path.replace('/page/', '') || 'index.html'));
  return files.filter((file) => existsSync(file)).reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
}

describe.each(browsers)('the built page in %s', (name) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser(name, { log: () => {}, parentFolder: process.env.GPU_TEST_FOLDER });
  });

  afterAll(() => browser?.close());

  it('asks for at most 100 kB before its first tab is there, and for nothing elsewhere; nothing moves', async () => {
    const before = server.asked.length;
    const { page, errors, away } = await openPage(browser, url);
    // The service worker's own requests come after those of the page.
    const asked = server.asked.slice(before, server.asked.indexOf('/page/service-worker.js', before));
    const size = firstPaintBytes(asked);
    process.stdout.write(`the first paint, ${name}: ${asked.length} files, ${size} bytes gzipped\n`);
    expect(asked.length).toBeGreaterThan(3);
    expect(size).toBeLessThanOrEqual(100_000);
    if (name === 'chrome') {
      const shift = await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            let sum = 0;
            new PerformanceObserver((list) => {
              for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
            }).observe({ type: 'layout-shift', buffered: true });
            setTimeout(() => resolve(sum), 500);
          }),
      );
      expect(shift).toBeLessThan(0.01);
    }
    expect([errors, away]).toEqual([[], []]);
    await page.close();
  });

  it('has no violation that axe-core knows, on any tab, light and dark', async () => {
    for (const scheme of name === 'chrome' ? ['light', 'dark'] : ['light']) {
      for (const [hash, ready] of [
        ['', "document.querySelector('#see-paintings button')"],
        ['#draw', "document.querySelector('#model-facts').textContent.includes('dispatches')"],
        ['#compare', "document.querySelector('#compare-model').options.length > 3"],
        ['#learn', "document.querySelector('#counts').innerText.length > 0"],
        ['documents/docs/peers.html#main', "document.querySelector('.document table')"],
        ['documents/docs/guides/explain.html#main', "document.querySelector('.document h1')"],
      ] as const) {
        const { page, errors } = await openPage(browser, `${url}${hash}`);
        if (name === 'chrome') await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        await until(page, ready);
        expect(await violations(page), `${hash} ${scheme}`).toEqual([]);
        expect(errors).toEqual([]);
        await page.close();
      }
    }
  });

  it('shows a shared result, and says that an edited link is damaged', async () => {
    const { page, errors } = await openPage(browser, `${url}#compare`);
    await until(page, "document.querySelector('#compare-model').options.length > 3");
    await page.select('#compare-model', 'v1-0.25-128');
    await page.click('#compare-run');
    await until(page, "document.querySelector('#compare-results').dataset.state === 'done'");
    expect(await text(page, '#verdict')).toMatch(/ms/);
    const figures = await text(page, '#engines-table');
    expect(figures).toMatch(/WebGPU[\s\S]*CPU reference/);
    const link = page.url();
    expect(await violations(page)).toEqual([]);
    const { page: shared } = await openPage(browser, link);
    await until(shared, "document.querySelector('#engines-table')");
    expect(await text(shared, '#engines-table')).toBe(figures);
    expect(await text(shared, '#compare-shared')).toMatch(/Shared with you/);
    expect(await shared.$eval('#compare-model', (select) => (select as HTMLSelectElement).value)).toBe('v1-0.25-128');
    await shared.close();
    const edited = await openPage(browser, link.replace(/.{3}(?=\.\w+$)/, 'abc'));
    await until(edited.page, "!document.querySelector('#compare-message').hidden");
    expect(await text(edited.page, '#compare-message')).toMatch(/result in this link is damaged[\s\S]*measure here/);
    expect([errors, edited.errors]).toEqual([[], []]);
    await edited.page.close();
    await page.close();
  });
});

describe.each(browsers)("a person's way in %s", (name) => {
  needModels();

  it('from a pasted photograph to names, the reason, the comparison and its link, and again without a network', async () => {
    const own = await serveFolders({ page: folder });
    const browser = await launchBrowser(name, { log: () => {}, parentFolder: process.env.GPU_TEST_FOLDER });
    try {
      const address = `${own.url}/page/`;
      /** All of the way; the comparison to its end, or until it has `enough`. */
      const visit = async (enough = "document.querySelector('#compare-results').dataset.state === 'done'") => {
        const { page, errors, away } = await openPage(browser, address, 1200, () => {
          navigator.clipboard.writeText = async (copied) => void Object.assign(globalThis, { copied });
        });
        await paste(page, readFileSync(join(modelFolder, 'burger.jpg')), 'burger.jpg', 'image/jpeg');
        await until(page, "document.querySelector('#see-picture').height !== 600");
        expect(away).toEqual([]);
        await page.click('input[value=names]');
        const offer = '[data-catalogue="imagenet/v2-1.0-quantised"]';
        await until(page, `document.querySelector('${offer}')`);
        const offered = await text(page, offer);
        await page.click(offer);
        await until(page, "document.querySelector('#see-findings').dataset.kind === 'classes'");
        const names = await page.$$eval('#see-findings > li', (rows) =>
          rows.map((row) => (row as HTMLElement).dataset.name),
        );
        await page.click('.why');
        await until(page, "document.querySelector('#see-why').dataset.explained !== undefined");
        expect(await text(page, '#see-why-text')).toMatch(/What glows speaks for “cheeseburger”/);
        await page.click('#tab-compare');
        await until(page, "document.querySelector('#compare-model').value === 'opened'");
        await page.$eval('#compare-runs', (field) => {
          (field as HTMLInputElement).value = '1';
        });
        await page.click('#compare-run');
        await until(page, enough);
        await page.click('#compare-cancel');
        return { page, errors, offered, names, away };
      };
      const first = await visit();
      expect([first.offered, first.names.length, first.names[0]]).toEqual(['Download 3.61 MB', 5, 'cheeseburger']);
      expect(first.away.map((asked) => new URL(asked).origin)).toEqual([models.url]);
      expect(first.errors).toEqual([]);
      expect(await violations(first.page)).toEqual([]);
      const figures = await text(first.page, '#compare-summary');
      expect(figures).toMatch(/MobileNetV2, ImageNet[\s\S]*WebGPU[\s\S]*CPU engine[\s\S]*CPU reference/);
      await first.page.click('#copy-link');
      await until(first.page, "/link is copied/.test(document.querySelector('#compare-copied').textContent)");
      const link = (await first.page.evaluate('copied')) as string;
      // The browser of the other kind shows the same numbers.
      const other = await launchBrowser(name === 'chrome' ? 'firefox' : 'chrome', {
        log: () => {},
        parentFolder: process.env.GPU_TEST_FOLDER,
      });
      try {
        const shared = await openPage(other, link);
        await until(shared.page, "document.querySelector('#engines-table')");
        expect(await text(shared.page, '#compare-summary')).toBe(figures);
        expect([shared.errors, shared.away]).toEqual([[], []]);
      } finally {
        await other.close();
      }
      // The engine keeps the model by itself; the page's files are there once the service worker is.
      await first.page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
      await until(first.page, 'navigator.serviceWorker.controller');
      await first.page.close();
      await own.close();
      const second = await visit("/CPU engine/.test(document.querySelector('#compare-summary').innerText)");
      expect([second.offered, second.names, second.away, second.errors]).toEqual(['Use', first.names, [], []]);
      await second.page.close();
    } finally {
      await own.close().catch(() => {});
      await browser.close();
    }
  });

  it('names what it sees where the disk is full, and where the file is another one', async () => {
    const browser = await launchBrowser(name, { log: () => {}, parentFolder: process.env.GPU_TEST_FOLDER });
    try {
      const ask = async (before: () => void, ready: string) => {
        const { page, errors } = await openPage(browser, url, 1200, before);
        await page.click('input[value=names]');
        await until(page, "document.querySelector('[data-catalogue]')");
        await page.click('[data-catalogue="imagenet/v1-0.25"]');
        await until(page, ready);
        return { page, errors };
      };
      const full = await ask(() => {
        Cache.prototype.put = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
      }, "document.querySelector('#see-findings').dataset.kind === 'classes'");
      expect(full.errors).toEqual([]);
      expect(await text(full.page, '[data-catalogue="imagenet/v1-0.25"]')).toMatch(/^Download/);
      await full.page.close();
      const other = await ask(() => {
        const { fetch } = globalThis;
        globalThis.fetch = (...asked) =>
          String(asked[0]).includes('default_1.tflite') ? Promise.resolve(new Response('<html>')) : fetch(...asked);
      }, "!document.querySelector('#model-message').hidden");
      expect(await text(other.page, '#model-message')).toMatch(
        /your picture is still here[\s\S]*(IntegrityError|ModelFormatError)/i,
      );
      await other.page.close();
    } finally {
      await browser.close();
    }
  });
});
