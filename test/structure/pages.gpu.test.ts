/** The built package as pages have it: the CPU engine and models in workers, under strict policies, and in a bundle. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { prepare } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { enginePage } from '../support/engine-page.ts';
import { type StaticServer, serveFolders } from '../support/static-server.ts';
import { browsers, suite } from '../support/suite.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-cpu-'));
let server: StaticServer;

/** What docs/cpu.md states; the page has no policy for Trusted Types of its own. */
const strict = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; \
img-src data:; require-trusted-types-for 'script'; trusted-types mobilenet-webgpu`;

/** Runs on the CPU engine and on the reference, and says how far apart they are. */
const compare = `
  import { load, seededInputs } from '/dist/index.js';
  const id = 'v2-0.35-64';
  try {
    const model = await load(id, { device: 'wasm', cpu: '/litert/' });
    const reference = await load(id, { device: 'reference' });
    const inputs = seededInputs(model.graph);
    const { logits } = await model.run(inputs);
    const expected = (await reference.run(inputs)).logits;
    let [square, norm] = [0, 0];
    expected.forEach((value, i) => {
      square += (logits[i] - value) ** 2;
      norm += value ** 2;
    });
    postMessage({ device: model.device, nmse: square / norm, length: logits.length });
    model.dispose();
  } catch (error) {
    postMessage({ error: error.name + ': ' + error.message });
  }`;

/** Compares devices with the CPU engine as it is, and so many times as slow. */
const choose = `
  import { load, seededInputs } from '/dist/index.js';
  import { liteRt } from '/dist/cpu.js';
  export async function choose({ id, times }) {
    const engine = liteRt('/litert/');
    const slowed = { name: 'slowed', open: async (network) => {
      const cpu = await engine.open(network);
      const run = async (inputs) => {
        const start = performance.now();
        const outputs = await cpu.run(inputs);
        await new Promise((resolve) => setTimeout(resolve, (times - 1) * (performance.now() - start)));
        return outputs;
      };
      return { ...cpu, run };
    } };
    const cpu = times === 1 ? '/litert/' : slowed;
    const auto = await load(id, { cpu, tuningCache: null });
    const inputs = seededInputs(auto.graph);
    await auto.run(inputs);
    await auto.tuned;
    const found = { device: auto.device, reason: auto.deviceReason };
    auto.dispose();
    return found;
  }
  export async function measure(id) {
    const models = {};
    for (const [name, device] of [['auto', 'auto'], ['gpu', 'webgpu'], ['cpu', 'wasm']]) {
      const model = (models[name] = await load(id, { device, cpu: '/litert/', tuningCache: null }));
      await model.run(seededInputs(model.graph));
      await model.tuned;
    }
    const inputs = seededInputs(models.gpu.graph);
    // The least of eight samples of 40 ms or more, in turns: what else the machine does only adds, and clocks have steps. Of
    // up to 60, where one of them had the machine to itself in none of eight.
    const names = Object.keys(models);
    const least = {};
    const sample = async (name, runs) => {
      const start = performance.now();
      for (let i = 0; i < runs; i++) await models[name].run(inputs);
      return (performance.now() - start) / runs;
    };
    const runs = {};
    for (const name of names) runs[name] = Math.max(1, Math.ceil(40 / (await sample(name, 3))));
    const late = () => least.auto > 1.1 * Math.min(least.gpu, least.cpu);
    for (let i = 0; i < 8 || (i < 60 && late()); i++) {
      for (let k = 0; k < names.length; k++) {
        const name = names[(i + k) % names.length];
        least[name] = Math.min(least[name] ?? Infinity, await sample(name, runs[name]));
      }
    }
    const { device, deviceReason } = models.auto;
    for (const model of Object.values(models)) model.dispose();
    return { device, deviceReason, ...least };
  }`;

/** A model in a worker, on the GPU and on the CPU's engine. */
const inWorker = (from: string, worker: string, files = "const files = '/litert/';") => `
  import { load, seededInputs } from '${from}';
  ${files}
  try {
    const found = [];
    for (const device of ['webgpu', 'wasm']) {
      const options = { worker: ${worker}, device, cpu: files, tuningCache: null };
      const model = await load('v1-0.25-32', options);
      const { logits } = await model.run(seededInputs(model.graph));
      const file = await load('../models/v1.tflite', options);
      found.push([model.device, logits.length, file.device, (await file.run(seededInputs(file.graph))).logits.length]);
      model.dispose();
      file.dispose();
    }
    postMessage(found);
  } catch (error) {
    postMessage({ error: error.name + ': ' + error.message });
  }`;

const page = (script: string) =>
  `<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`;

beforeAll(async () => {
  const dist = join(folder, 'dist');
  await build({ root, logLevel: 'error', build: { outDir: dist, emptyOutDir: true } });
  const pages = join(folder, 'pages');
  mkdirSync(pages);
  const write = (name: string, text: string) => writeFileSync(join(pages, name), text);
  write('compare.js', compare);
  write('choose.js', choose);
  write('compare.html', page('compare.js'));
  write('plain.html', page('choose.js'));
  write('worker.js', inWorker('/dist/index.js', 'true'));
  write('worker.html', page('worker.js'));
  write('strict-worker.js', inWorker('/dist/index.js', "'/dist/worker.js'"));
  write('strict-worker.html', page('strict-worker.js'));
  const user = join(folder, 'user');
  const models = join(folder, 'models');
  mkdirSync(user);
  mkdirSync(models);
  writeFileSync(join(models, 'v1.tflite'), writeTflite(prepare(buildArchitecture('v1-0.25-32'))));
  // The bundler finds and emits LiteRT.js' files.
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(root, 'node_modules/@litertjs'), join(folder, 'node_modules/@litertjs'));
  const files = `import { liteRtFiles as files } from '${join(dist, 'cpu.js')}';`;
  writeFileSync(join(user, 'main.js'), inWorker(join(dist, 'index.js'), 'true', files));
  writeFileSync(join(user, 'index.html'), page('./main.js'));
  const bundle = join(folder, 'bundle');
  await build({ root: user, base: './', configFile: false, logLevel: 'error', build: { outDir: bundle } });
  server = await serveFolders(
    { dist, pages, models, bundle, litert: join(root, 'node_modules/@litertjs/core/wasm') },
    (path) => (/compare|strict|^\/dist\/worker/.test(path) ? { 'Content-Security-Policy': strict } : {}),
  );
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe.each(browsers)('in %s', (browser) => {
  async function open(path: string) {
    const opened = await (await enginePage(browser)).browser.newPage();
    await opened.evaluateOnNewDocument(
      'globalThis.said = new Promise((resolve) => addEventListener("message", ({ data }) => resolve(data)))',
    );
    await opened.goto(new URL(path, `${server.url}/pages/`).href);
    return opened;
  }

  it('runs on a page with a strict policy and Trusted Types', async () => {
    const opened = await open('compare.html');
    try {
      const { nmse, ...found } = (await opened.evaluate('said')) as { nmse: number };
      expect(found).toEqual({ device: 'wasm', length: 1000 });
      expect(nmse).toBeLessThanOrEqual(1e-9);
    } finally {
      await opened.close();
    }
  });

  it('runs in a module worker, which has no importScripts, under the same policy', async () => {
    const opened = await open('plain.html');
    try {
      const { nmse, ...found } = (await opened.evaluate(`new Promise((resolve, reject) => {
        const worker = new Worker('compare.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message || 'the worker did not start'));
      })`)) as { nmse: number };
      expect(found).toEqual({ device: 'wasm', length: 1000 });
      expect(nmse).toBeLessThanOrEqual(1e-9);
    } finally {
      await opened.close();
    }
  });

  it.each([
    ['of the package served as it is', 'worker.html'],
    ['by its address, under a strict policy', 'strict-worker.html'],
    ['of a bundle', '../bundle/index.html'],
  ])('runs models in a worker %s', async (_how, path) => {
    const opened = await open(path);
    try {
      expect(await opened.evaluate('said')).toEqual([
        ['webgpu', 1000, 'webgpu', 1000],
        ['wasm', 1000, 'wasm', 1000],
      ]);
    } finally {
      await opened.close();
    }
  });

  it('auto runs on whichever it measured to be faster, and on the GPU where the CPU is fifty times as slow', async () => {
    const opened = await open('plain.html');
    try {
      const chosen = async (times: number) => {
        const found = (await opened.evaluate(
          `import('./choose.js').then((m) => m.choose({ id: 'v3-small-1.0-224', times: ${times} }))`,
        )) as { device: string; reason: string };
        const [, cpuMs, gpuMs] = /^an inference takes ([\d.]+) ms on \S+ and ([\d.]+) ms on the GPU$/.exec(
          found.reason,
        )!;
        return { device: found.device, cpuMs: Number(cpuMs), gpuMs: Number(gpuMs) };
      };
      // Which of the two is faster depends on what else the machine does; the choice is what was measured.
      const { device, cpuMs, gpuMs } = await chosen(1);
      if (cpuMs !== gpuMs) expect(device).toBe(cpuMs < gpuMs ? 'wasm' : 'webgpu');
      expect((await chosen(50)).device).toBe('webgpu');
    } finally {
      await opened.close();
    }
  });

  it('auto takes no more than a tenth longer than the better of GPU and CPU', { timeout: 600_000 }, async ({
    skip,
  }) => {
    skip(suite !== 'full', 'times are measured by "npm run test:full -- --part engine"');
    const opened = await open('plain.html');
    try {
      for (const id of ['v1-1.0-224', 'v2-1.0-224', 'v3-small-1.0-224', 'v4-conv-small-224']) {
        const found = (await opened.evaluate(`import('./choose.js').then((m) => m.measure('${id}'))`)) as {
          readonly [name in 'auto' | 'gpu' | 'cpu']: number;
        };
        process.stderr.write(`${browser}, ${id}: ${JSON.stringify(found)}\n`);
        expect(found.auto).toBeLessThanOrEqual(1.1 * Math.min(found.gpu, found.cpu));
      }
    } finally {
      await opened.close();
    }
  });
});
