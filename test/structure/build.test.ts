import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-build-'));
  await build({ root, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } });
});

afterAll(() => rmSync(folder, { recursive: true }));

const modules = () => readdirSync(folder).filter((name) => name.endsWith('.js'));

/** Files that a module imports at once, and those that it loads when needed. */
function importsOf(name: string): { readonly now: string[]; readonly later: string[] } {
  const text = readFileSync(join(folder, name), 'utf8');
  const matches = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]!);
  return {
    now: matches(/\b(?:from|import)\s*["'`]([^"'`]+)["'`]/g),
    later: matches(/\bimport\(\s*["'`]([^"'`]+)["'`]/g),
  };
}

/** A module with everything that it imports at once. */
function closure(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const path of importsOf(name).now) closure(path.replace(/^\.\//, ''), seen);
  return seen;
}

it('is what package.json exports, and runs as it lies there', async () => {
  const { exports, main } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect([exports['.'].default, main]).toEqual(['./dist/index.js', './dist/index.js']);
  for (const entry of ['analysis', 'labels', 'node', 'tasks']) {
    expect(exports[`./${entry}`]).toEqual({ types: `./dist/types/${entry}.d.ts`, default: `./dist/${entry}.js` });
    expect(modules()).toContain(`${entry}.js`);
  }
  const built = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'index.js')).href);
  const model = await built.load('v1-0.25-32', { device: 'reference' });
  expect((await model.run(built.seededInputs(model.graph))).logits).toHaveLength(1000);
  const error = await built.load(new Uint8Array([1, 2, 3]), { device: 'reference' }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(built.ModelFormatError);
  expect(error.name).toBe('ModelFormatError');
});

it('imports nothing but its own files, so that a page needs no bundler', () => {
  const forPages = modules().filter((name) => name !== 'node.js');
  const imported = forPages.flatMap((name) => Object.values(importsOf(name)).flat());
  expect(imported.length).toBeGreaterThan(2);
  for (const path of imported) expect(readdirSync(folder), path).toContain(path.replace(/^\.\//, ''));
  expect(readFileSync(join(folder, 'LICENSES.md'), 'utf8')).toMatch(/idb-keyval[\s\S]*pbf/);
});

it('imports only what is exported, at once and later', () => {
  const exportsOf = (name: string) => {
    const [, list = ''] =
      /\bexport\{([^}]*)\}(?=;?\s*(?:\/\/#.*)?\s*$)/.exec(readFileSync(join(folder, name), 'utf8')) ?? [];
    return list.split(',').map((pair) => pair.split(' as ').at(-1));
  };
  let count = 0;
  for (const name of modules().filter((each) => each !== 'worker-text.js')) {
    const text = readFileSync(join(folder, name), 'utf8');
    const now = [...text.matchAll(/\bimport\{([^}]*)\}from"\.\/([^"]+)"/g)].map(([, list, file]) => ({
      file: file!,
      names: list!.split(',').map((pair) => pair.split(' as ')[0]!),
    }));
    const later = [...text.matchAll(/\bimport\(["'`]\.\/([^"'`]+)["'`]\)\.then\((\w+)=>\2\.([\w$]+)\)/g)];
    for (const { file, names } of [...now, ...later.map(([, file, , each]) => ({ file: file!, names: [each!] }))]) {
      expect(exportsOf(file), `${name} of ${file}`).toEqual(expect.arrayContaining(names));
      expect(new Set(exportsOf(file)).size, file).toBe(exportsOf(file).length);
      count += names.length;
    }
  }
  expect(count).toBeGreaterThan(400);
});

it('loads the loaders when needed', () => {
  const later = [...closure('loaders.js')].flatMap((name) => importsOf(name).later);
  expect([...closure('index.js')].filter((name) => /onnx|tfjs|loaders/.test(name))).toEqual([]);
  for (const loader of ['onnx', 'tfjs']) expect(later.filter((path) => path.includes(loader))).toHaveLength(1);
});

it('has a loader of ONNX of at most 12 kB as it travels, its parser included, and the rest where a file needs it', () => {
  expect(gzipSync(readFileSync(join(folder, 'onnx.js'))).length).toBeLessThanOrEqual(12_000);
  const { now, later } = importsOf('onnx.js');
  expect(now.filter((path) => path.includes('onnx'))).toEqual([]);
  expect(later.map((path) => path.replace(/^\.\//, '')).sort()).toEqual([
    'core-rounding.js',
    'onnx-arg-max.js',
    'onnx-conv-transpose.js',
    'onnx-dynamic.js',
    'onnx-fold.js',
    'onnx-metadata.js',
    'onnx-norms.js',
    'onnx-open-sizes.js',
    'onnx-quantised.js',
    'onnx-resize.js',
    'onnx-split.js',
    'sidecars-families.js',
  ]);
});

it('has a loader of safetensors of at most 14 kB as it travels, the tables of architectures included', () => {
  const entry = closure('loaders.js', closure('index.js'));
  const own = [...closure('safetensors.js')].filter((name) => !entry.has(name));
  const sizes = own.map((name) => gzipSync(readFileSync(join(folder, name))).length);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(14_000);
});

it('has an entry for Node, which opens files by path and shares the engine', async () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const away = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-user-'));
  try {
    const installed = join(away, 'node_modules', 'mobilenet-webgpu');
    mkdirSync(installed, { recursive: true });
    writeFileSync(
      join(installed, 'package.json'),
      JSON.stringify({ name: 'mobilenet-webgpu', type: 'module', exports }),
    );
    symlinkSync(folder, join(installed, 'dist'));
    const graph = runPasses(buildArchitecture('v1-0.25-32', { classes: 4 }));
    writeFileSync(join(away, 'model.tflite'), writeTflite(graph));
    writeFileSync(
      join(away, 'use.mjs'),
      `import { load, seededInputs } from 'mobilenet-webgpu/node';
       import { Model } from 'mobilenet-webgpu';
       const model = await load('model.tflite', { device: 'reference' });
       const [values] = Object.values(await model.run(seededInputs(model.graph)));
       const none = await load('gone.onnx', { device: 'reference' }).catch(({ name, message }) => name + ': ' + message);
       console.log(JSON.stringify({ same: model instanceof Model, length: values.length, none }));`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, ['use.mjs'], { cwd: away });
    expect(JSON.parse(stdout)).toEqual({
      same: true,
      length: 4,
      none: expect.stringMatching(/^ModelFormatError: gone\.onnx: there is no such file/),
    });
  } finally {
    rmSync(away, { recursive: true });
  }
});

it('has an entry for tasks, which loads nothing of the engine', async () => {
  const { decodeBox3d } = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'tasks.js')).href);
  expect(decodeBox3d(new Float32Array(18), Float32Array.of(0.5)).score).toBe(0.5);
  expect([...closure('tasks.js')].filter((name) => /index|engine|loader|graph/.test(name))).toEqual([]);
});

it('has no code made from strings, which a Content-Security-Policy would refuse', () => {
  for (const name of modules())
    expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(
      /\beval\b|\bFunction\(|\bset(Timeout|Interval)\(\s*["'`]|["'`](javascript|data:text\/javascript):?/,
    );
});

it('is at most 38 kB as it travels, with all that it imports at once', () => {
  const sizes = [...closure('index.js')].map((name) => gzipSync(readFileSync(join(folder, name))).length);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(38_000);
});

it.each([
  ['analysis', 3_000],
  ['compat', 13_000],
  ['cpu', 4_000],
  ['labels', 11_000],
  ['tasks', 11_000],
  ['transfer', 7_000],
])('has an entry "%s" of at most %i bytes as it travels, beside what the first needs', (entry, most) => {
  const first = closure('index.js');
  const own = [...closure(`${entry}.js`)].filter((name) => !first.has(name));
  const sizes = own.map((name) => gzipSync(readFileSync(join(folder, name))).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(most);
  // What stands alone does not bring the engine along.
  if (['labels', 'tasks', 'transfer'].includes(entry)) expect([...closure(`${entry}.js`)]).not.toContain('engine.js');
});
