/** The packed package as users install it: ten lines name three photographs, by bundlers, from a CDN's file, and in a Worker. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { manifest, node, npm, packPackage } from '../support/packed.ts';
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
  const { vite, webpack } = manifest.devDependencies;
  await npm(user, 'install', tarball, `vite@${vite}`, `webpack@${webpack}`);
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
  const folders = {
    vite: 'vite',
    webpack: 'webpack',
    plain: 'plain',
    dist: join('node_modules', manifest.name, 'dist'),
  };
  const served = Object.entries(folders).map(([name, path]) => [name, join(user, path)]);
  server = await serveFolders({ ...Object.fromEntries(served), models: modelFolder }, (path) =>
    /worker|^\/dist/.test(path) ? { 'Content-Security-Policy': strict } : {},
  );
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
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
