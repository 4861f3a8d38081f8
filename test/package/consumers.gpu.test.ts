/** The packed package as users install it: ten lines name three photographs, by bundlers, from a CDN's file, and in a Worker. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ElementHandle, Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { manifest, node, npm, packPackage } from '../support/packed.ts';
import { readmeBlocks } from '../support/readme-blocks.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { type StaticServer, serveFolders } from '../support/static-server.ts';
import { browsers } from '../support/suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-consumers-'));
const user = join(folder, 'user');
const installed = join(user, 'node_modules', manifest.name);
let server: StaticServer;

/** Names the photographs; `from` is where the package is. In a page and in a Worker, so without a document. */
const tenLines = (from: string) => `import { load } from '${from}';
const model = await load('/models/mobilenet_v1_0.25_224_1_default_1.tflite');
const labels = (await (await fetch('/models/imagenet_labels.txt')).text()).split('\\n');
const named = [];
for (const photograph of ['burger.jpg', 'cat.bmp', 'parrot.jpg']) {
  const picture = await (await fetch('/models/' + photograph)).blob();
  const [best] = await model.classify(picture, { image: 'keras' });
  named.push(labels[best.index]);
}
postMessage({ named, device: model.device });
`;

const page = (script: string) => `<!doctype html><title>user</title><link rel="icon" href="data:,">${script}`;

/** No script but the page's own, no eval, and Trusted Types: what the page itself does to make a Worker is its policy. */
const strict = `default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src data:; \
require-trusted-types-for 'script'; trusted-types page`;

beforeAll(async () => {
  if (!modelFolder) return;
  const { tarball } = await packPackage(folder);
  mkdirSync(join(user, 'src'), { recursive: true });
  mkdirSync(join(user, 'plain'));
  const write = (path: string, text: string) => writeFileSync(join(user, path), text);
  write('package.json', JSON.stringify({ name: 'user', private: true, type: 'module' }));
  const packages = ['vite', 'webpack', 'react', 'react-dom'].map((name) => `${name}@${manifest.devDependencies[name]}`);
  await npm(user, 'install', tarball, ...packages);
  write('src/main.js', tenLines(manifest.name));
  write('index.html', page('<script type="module" src="/src/main.js"></script>'));
  await node(user, 'node_modules/vite/bin/vite.js', 'build', '--base', '/vite/', '--outDir', 'vite');
  write(
    'webpack.mjs',
    `import webpack from 'webpack';
     const output = { path: ${JSON.stringify(join(user, 'webpack'))}, publicPath: '/webpack/', module: true };
     const common = { mode: 'production', experiments: { outputModule: true }, performance: false, output };
     webpack({ ...common, entry: './src/main.js' }, (error, stats) => {
       if (error || stats.hasErrors() || stats.hasWarnings()) throw error ?? new Error(stats.toString('errors-warnings'));
     });`,
  );
  await node(user, 'webpack.mjs');
  write('webpack/index.html', page('<script type="module" src="main.mjs"></script>'));
  write(
    'plain/index.html',
    page(`<script type="module">${tenLines(manifest.unpkg.replace('./dist', '/dist'))}</script>`),
  );
  write('plain/worker.html', page('<script type="module" src="worker-page.js"></script>'));
  write(
    'plain/worker-page.js',
    `const policy = globalThis.trustedTypes?.createPolicy('page', { createScriptURL: (url) => url });
     const worker = new Worker(policy ? policy.createScriptURL('worker.js') : 'worker.js', { type: 'module' });
     worker.onmessage = ({ data }) => postMessage(data);
     worker.onerror = ({ message }) => postMessage({ error: message || 'the worker could not be started' });`,
  );
  write('plain/worker.js', tenLines('/dist/index.js'));
  await buildExamples();
  await writeBlocks();
  const folders = {
    vite: 'vite',
    examples: 'examples/built',
    html: 'examples/html',
    readme: 'readme',
    webpack: 'webpack',
    plain: 'plain',
    dist: join('node_modules', manifest.name, 'dist'),
  };
  const served = Object.entries(folders).map(([name, path]) => [name, join(user, path)]);
  server = await serveFolders({ ...Object.fromEntries(served), models: modelFolder, pictures: modelFolder }, (path) =>
    /^\/(plain\/worker|dist\/)/.test(path) ? { 'Content-Security-Policy': strict } : {},
  );
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

/** Those that Vite serves, in one build; the page without a build takes the engine from here in place of the CDN. */
async function buildExamples(): Promise<void> {
  const examples = join(user, 'examples');
  cpSync(fileURLToPath(new URL('../../examples', import.meta.url)), examples, { recursive: true });
  const input = ['vite', 'react', 'worker-webcam', 'transfer'].map((name) => join(examples, name, 'index.html'));
  writeFileSync(
    join(examples, 'vite.config.js'),
    `export default {
       base: '/examples/',
       worker: { format: 'es' },
       build: { target: 'es2022', outDir: 'built', rolldownOptions: { input: ${JSON.stringify(input)} } },
     };`,
  );
  await node(examples, '../node_modules/vite/bin/vite.js', 'build');
  const html = join(examples, 'html', 'index.html');
  const text = readFileSync(html, 'utf8');
  const [cdn] = /https:[^']+/.exec(text)!;
  expect(cdn).toBe(`https://cdn.jsdelivr.net/npm/mobilenet-webgpu@0.1/${manifest.unpkg.replace('./', '')}`);
  writeFileSync(html, text.replace(cdn, manifest.unpkg.replace('./', '/')));
}

/** The README's programs, a page each, with what a page has: names of entries, a canvas. */
async function writeBlocks(): Promise<void> {
  const entries = Object.keys(manifest.exports).filter((name) => !name.endsWith('.json'));
  const imports = entries.map((name) => [
    name.replace('.', manifest.name),
    manifest.exports[name].default.replace('.', ''),
  ]);
  const map = `<script type="importmap">${JSON.stringify({ imports: Object.fromEntries(imports) })}</script>`;
  mkdirSync(join(user, 'readme'));
  for (const [i, program] of (await readmeBlocks()).pages.entries()) {
    const script = `<script type="module">${program}\npostMessage('ran')</script>`;
    writeFileSync(join(user, 'readme', `${i}.html`), page(`${map}<canvas></canvas>${script}`));
  }
}

const modelName = 'mobilenet_v1_0.25_224_1_default_1.tflite';

/** The catalogue's file comes from the folder of models, and the camera shows a burger. */
const surroundings = `{
  const original = globalThis.fetch;
  globalThis.fetch = (from, init) =>
    original(/(${modelName}|\\/mobilenet\\.tflite)$/.test(from.url ?? from) ? '/models/${modelName}' : from, init);
  navigator.mediaDevices ??= {};
  navigator.mediaDevices.getUserMedia = async () => {
    const bitmap = await createImageBitmap(await (await original('/models/burger.jpg')).blob());
    const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
    const context = canvas.getContext('2d');
    setInterval(() => context.drawImage(bitmap, 0, 0), 50);
    return canvas.captureStream(20);
  };
}`;

describe.each(browsers)('examples in %s', (browser) => {
  needModels();

  const photograph = (name: string) => join(modelFolder, name);

  /** Opens an example; \`until\` waits for its output to match. */
  async function open(path: string) {
    const opened = await (await enginePage(browser)).browser.newPage();
    const failed = new Promise<never>((_, reject) => opened.on('pageerror', reject));
    failed.catch(() => {});
    await opened.evaluateOnNewDocument(surroundings);
    await opened.goto(`${server.url}/${path}`);
    await opened.bringToFront();
    const until = async (text: RegExp) => {
      const shown = opened.waitForFunction(
        (source) =>
          new RegExp(source).test(`${document.querySelector('output')?.textContent} ${document.body.textContent}`),
        { timeout: 60_000 },
        text.source,
      );
      await Promise.race([failed, shown]).catch(async (error) => {
        const seen = await opened.evaluate(() => document.querySelector('output')?.textContent ?? '');
        throw new Error(`the page shows "${seen}"`, { cause: error });
      });
    };
    const choose = async (selector: string, ...files: string[]) => {
      const input = await opened.waitForSelector(selector);
      await (input as ElementHandle<HTMLInputElement>).uploadFile(...files.map(photograph));
    };
    return { opened, until, choose };
  }

  it.each([
    ['without a build', 'html/'],
    ['by Vite with TypeScript', 'examples/vite/'],
    ['in React', 'examples/react/'],
  ])('a picture file is named %s', async (_how, path) => {
    const { opened, until, choose } = await open(path);
    try {
      await until(/choose a picture|on webgpu/);
      await choose('input:enabled', 'burger.jpg');
      await until(/cheeseburger/);
    } finally {
      await opened.close();
    }
  });

  it('frames of a camera are named in a Worker', async () => {
    const { opened, until } = await open(`examples/worker-webcam/?model=/models/${modelName}`);
    try {
      await until(/cheeseburger, \d+\.\d %, \d+ ms/);
    } finally {
      await opened.close();
    }
  });

  it('classes of a person are learnt', async () => {
    const { opened, until, choose } = await open('examples/transfer/');
    try {
      await until(/ready/);
      await choose('#examples', 'burger.jpg');
      await until(/"food":1/);
      await opened.evaluate("document.getElementById('label').value = 'animal'");
      await choose('#examples', 'cat.bmp', 'parrot.jpg');
      await until(/"animal":2/);
      await opened.click('#train');
      await until(/trained/);
      await choose('#which', 'parrot.jpg');
      await until(/nearest: animal; head: animal \d+ %/);
      await choose('#which', 'burger.jpg');
      await until(/nearest: food; head: food \d+ %/);
    } finally {
      await opened.close();
    }
  });
});

describe.each(browsers)('in %s', (browser) => {
  needModels();

  it.each([
    ['by Vite', 'vite/'],
    ['by webpack', 'webpack/'],
    ['from the file for CDNs', 'plain/'],
    ['in a Worker under a strict policy', 'plain/worker.html'],
  ])('names a cheeseburger, an Egyptian cat and a macaw %s', async (_how, path) => {
    const opened = await (await enginePage(browser)).browser.newPage();
    try {
      expect(await answerOf(opened, `${server.url}/${path}`)).toEqual({
        named: ['cheeseburger', 'Egyptian cat', 'macaw'],
        device: 'webgpu',
      });
    } finally {
      await opened.close();
    }
  });
});

describe('the README', () => {
  needModels();

  it('has programs that run', async () => {
    const { pages } = await readmeBlocks();
    expect(pages.length).toBeGreaterThanOrEqual(4);
    for (const [i, program] of pages.entries()) {
      const opened = await (await enginePage('chrome')).browser.newPage();
      await opened.evaluateOnNewDocument(surroundings);
      expect(await answerOf(opened, `${server.url}/readme/${i}.html`), program).toBe('ran');
      await opened.close();
    }
  });
});

describe('the command', () => {
  needModels();
  const command = (...args: string[]) => node(user, join(installed, manifest.bin[manifest.name]), ...args);

  it('doctor finds the adapters of both browsers', async () => {
    const { version, places } = JSON.parse(await command('doctor', '--json'));
    expect(version).toBe(manifest.version);
    expect(places).toHaveLength(3);
    for (const { where, adapter } of places.slice(1)) {
      expect(where).toMatch(/Chrom|Firefox/);
      expect(adapter.limits.maxBufferSize).toBeGreaterThanOrEqual(2 ** 28);
    }
  });

  it.each(browsers)('validates every layer in %s', async (browser) => {
    const report = JSON.parse(await command('validate', 'v1-0.25-32', '--browser', browser, '--json'));
    expect([report.ok, report.layers.length]).toEqual([
      true,
      report.layers.filter(({ ok }: { ok: boolean }) => ok).length,
    ]);
  });
});

it('ships source maps with their sources', () => {
  const { sources, sourcesContent } = JSON.parse(readFileSync(join(installed, `${manifest.unpkg}.map`), 'utf8'));
  expect(sources.length).toBeGreaterThan(100);
  expect(sourcesContent).toHaveLength(sources.length);
});

/** The first message that a page gets, or what went wrong in it. */
async function answerOf(opened: Page, url: string): Promise<unknown> {
  const failed = new Promise<never>((_, reject) => {
    opened.on('pageerror', (error) => reject(error));
    opened.on('console', (message) => message.type() === 'error' && reject(new Error(message.text())));
  });
  failed.catch(() => {});
  await opened.evaluateOnNewDocument(() => {
    addEventListener('message', ({ data }) => Object.assign(globalThis, { answer: data }), { once: true });
  });
  await opened.goto(url);
  const answer = opened.waitForFunction('globalThis.answer', { timeout: 120_000 }).then((handle) => handle.jsonValue());
  return Promise.race([failed, answer]);
}
