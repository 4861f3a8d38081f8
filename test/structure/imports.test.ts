import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vite';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * What each room may import besides itself, packages, and src/errors.ts. `api` is src/*.ts but errors and version;
 * planner's `plan.ts` holds types only and is a room of its own here.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  graph: [],
  wgsl: ['shaders'],
  kernels: ['graph', 'shaders', 'wgsl', 'images'],
  passes: ['graph'],
  architectures: ['graph'],
  loaders: ['graph', 'architectures'],
  reference: ['graph'],
  images: ['graph'],
  writers: ['graph'],
  cpu: ['graph', 'loaders', 'writers'],
  tasks: ['graph', 'images'],
  labels: [],
  analysis: ['graph', 'images'],
  catalogue: ['graph', 'labels'],
  plan: ['graph'],
  planner: ['plan', 'graph', 'kernels', 'passes', 'wgsl', 'version'],
  device: ['plan', 'wgsl'],
  scheduler: ['plan', 'graph', 'kernels', 'device', 'images', 'wgsl'],
  validate: ['plan', 'graph', 'reference', 'planner', 'scheduler', 'device', 'images'],
  tuning: ['plan', 'graph', 'kernels', 'planner', 'device', 'scheduler', 'reference', 'validate', 'version'],
  api: [
    ...['plan', 'graph', 'kernels', 'passes', 'architectures', 'loaders', 'reference', 'images', 'planner'],
    ...['catalogue', 'cpu', 'device', 'scheduler', 'tasks', 'tuning', 'validate', 'version'],
  ],
  node: ['api', 'catalogue', 'cpu', 'graph', 'loaders'],
  cli: ['api', 'graph', 'architectures', 'labels', 'loaders', 'node', 'tasks', 'version'],
  compat: ['api', 'graph', 'labels'],
  transfer: ['loaders'],
  demo: ['node_modules'],
  // Beside the public API: files for peers are written from the graph that runs, outputs judged by the reference.
  bench: [
    'analysis',
    'api',
    'architectures',
    'cli',
    'cpu',
    'device',
    'graph',
    'kernels',
    'passes',
    'reference',
    'scripts',
    'validate',
    'version',
    'writers',
  ],
  // Plans as a device would start with them, without one.
  isa: ['api', 'architectures', 'cli', 'device', 'graph', 'plan', 'planner', 'tuning'],
};

interface Source {
  readonly path: string;
  readonly text: string;
}

/** The room of a file by its path from the root. */
function roomOf(path: string): string {
  if (path === 'src/errors.ts') return 'errors';
  if (path === 'src/version.ts') return 'version';
  if (path === 'src/planner/plan.ts') return 'plan';
  const parts = path.split('/');
  if (path.startsWith('bench/isa/')) return 'isa';
  if (parts[0] !== 'src') return parts[0]!;
  return parts.length === 2 ? 'api' : parts[1]!;
}

/** Paths from the root that a file imports, as types or by `new URL` too; packages are left out. */
function importsOf({ path, text }: Source): string[] {
  const targets: string[] = [];
  const add = (specifier: unknown) => {
    if (typeof specifier !== 'string' || !/^[./]/.test(specifier)) return;
    const file = specifier.replace(/\?.*$/, '');
    targets.push(file.startsWith('/') ? file.slice(1) : posix.join(posix.dirname(path), file));
  };
  // biome-ignore lint/suspicious/noExplicitAny: any node of a syntax tree
  const visit = (node: any): void => {
    if (typeof node !== 'object' || node === null) return;
    if (['ImportDeclaration', 'ImportExpression', 'ExportNamedDeclaration', 'TSImportType'].includes(node.type)) {
      add(node.source?.value);
    } else if (node.type === 'ExportAllDeclaration') add(node.source.value);
    else if (
      node.type === 'NewExpression' &&
      node.callee.name === 'URL' &&
      /\.(ts|mjs)$/.test(node.arguments[0]?.value)
    ) {
      add(node.arguments[0].value);
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(text, { lang: 'ts' }).body);
  return targets;
}

/** One line for each import that goes against the table. */
function brokenArrows(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const from = roomOf(source.path);
    return importsOf(source).flatMap((target) => {
      const to = roomOf(target);
      if (to === from || to === 'errors') return [];
      if (allowed[from]?.includes(to)) return [];
      if (from === 'demo' && /^src\/((analysis|tasks)\/)?index\.ts$/.test(target)) return [];
      return [`${source.path} imports ${target}: ${from} must not know ${to}`];
    });
  });
}

/** Rooms or files that import one another in a circle, as `a → b → a`, or null. */
function circle(edges: ReadonlyMap<string, ReadonlySet<string>>): string | null {
  const done = new Set<string>();
  const follow = (one: string, way: readonly string[]): string | null => {
    if (way.includes(one)) return [...way.slice(way.indexOf(one)), one].join(' → ');
    if (done.has(one)) return null;
    for (const next of edges.get(one) ?? []) {
      const found = follow(next, [...way, one]);
      if (found) return found;
    }
    done.add(one);
    return null;
  };
  for (const one of edges.keys()) {
    const found = follow(one, []);
    if (found) return found;
  }
  return null;
}

/** Which files import which, as types too. */
const edgesBetweenFiles = (sources: readonly Source[]): Map<string, Set<string>> =>
  new Map(sources.map((source) => [source.path, new Set(importsOf(source))]));

/** Which rooms import which, by what the files do. */
function edgesBetweenRooms(sources: readonly Source[]): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  for (const source of sources) {
    const from = roomOf(source.path);
    const targets = edges.get(from) ?? new Set();
    for (const target of importsOf(source)) if (roomOf(target) !== from) targets.add(roomOf(target));
    edges.set(from, targets);
  }
  return edges;
}

function sourcesIn(folder: string): Source[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (statSync(join(root, path)).isDirectory()) return name === 'node_modules' ? [] : sourcesIn(path);
    return /\.(ts|mjs)$/.test(name) && !name.endsWith('.d.ts')
      ? [{ path, text: readFileSync(join(root, path), 'utf8') }]
      : [];
  });
}

const sources = ['src', 'demo', 'bench'].flatMap(sourcesIn);

it('imports follow the arrows of ARCHITECTURE.md', () => {
  for (const folder of ['src', 'demo', 'bench']) {
    expect(sources.filter(({ path }) => path.startsWith(`${folder}/`)).length, folder).toBeGreaterThan(4);
  }
  expect(brokenArrows(sources)).toEqual([]);
});

it('sees an import against the arrows, however it is written', () => {
  const bad = [
    { path: 'src/graph/graph.ts', text: "import { load } from '../load.ts';" },
    { path: 'src/graph/ops.ts', text: "export * from '../passes/index.ts';" },
    { path: 'src/graph/shapes.ts', text: "export { type Model } from '../model.ts';" },
    { path: 'src/reference/conv.ts', text: "const kernels = await import(/* later */ '../kernels/index.ts');" },
    { path: 'src/reference/pool.ts', text: "let x: import('../planner/create-plan.ts').PlanOptions;" },
    { path: 'src/loaders/onnx.ts', text: "new Worker(new URL('../device/gpu.ts', import.meta.url));" },
    { path: 'src/passes/index.ts', text: "import '/test/kernels/case.ts';" },
    { path: 'demo/main.ts', text: "export { Executor } from '../src/scheduler/executor.ts';" },
    { path: 'bench/main.ts', text: "import { Executor } from '../src/scheduler/executor.ts';" },
    { path: 'src/kernels/add.ts', text: "import source from '../../shaders/add.wgsl?raw'; // from '../load.ts'" },
    { path: 'src/passes/pass.ts', text: "import { GraphError } from '../errors.ts'; import { it } from 'vitest';" },
  ];
  expect(brokenArrows(bad)).toEqual([
    'src/graph/graph.ts imports src/load.ts: graph must not know api',
    'src/graph/ops.ts imports src/passes/index.ts: graph must not know passes',
    'src/graph/shapes.ts imports src/model.ts: graph must not know api',
    'src/reference/conv.ts imports src/kernels/index.ts: reference must not know kernels',
    'src/reference/pool.ts imports src/planner/create-plan.ts: reference must not know planner',
    'src/loaders/onnx.ts imports src/device/gpu.ts: loaders must not know device',
    'src/passes/index.ts imports test/kernels/case.ts: passes must not know test',
    'demo/main.ts imports src/scheduler/executor.ts: demo must not know scheduler',
    'bench/main.ts imports src/scheduler/executor.ts: bench must not know scheduler',
  ]);
});

it('no rooms import one another in a circle, nor could they by the table', () => {
  expect(circle(edgesBetweenRooms(sources))).toBeNull();
  expect(circle(new Map(Object.entries(allowed).map(([room, targets]) => [room, new Set(targets)])))).toBeNull();
  const planted = [
    { path: 'src/kernels/add.ts', text: "import type { Plan } from '../planner/select.ts';" },
    { path: 'src/planner/select.ts', text: "import { Gpu } from '../device/gpu.ts';" },
    { path: 'src/device/gpu.ts', text: "import { add } from '../kernels/add.ts';" },
  ];
  expect(circle(edgesBetweenRooms(planted))).toBe('kernels → planner → device → kernels');
});

it('no files import one another in a circle, not even for a type', () => {
  expect(circle(edgesBetweenFiles(sources))).toBeNull();
  const planted = [
    { path: 'src/load.ts', text: "import { Model } from './model.ts';" },
    { path: 'src/model.ts', text: "export const open = async () => (await import('./loaders/streaming.ts')).open();" },
    { path: 'src/loaders/streaming.ts', text: "import type { LoadOptions } from '../load.ts';" },
  ];
  expect(circle(edgesBetweenFiles(planted))).toBe(
    'src/load.ts → src/model.ts → src/loaders/streaming.ts → src/load.ts',
  );
});

it('an import in src names its module, except where pages call modules by name', () => {
  const nameless = sources.filter(({ path, text }) => {
    return path.startsWith('src/') && /\bimport\((?!\s*['"])/.test(text);
  });
  expect(nameless.map(({ path }) => path)).toEqual(['src/cli/page.ts', 'src/cpu/script.ts', 'src/node/gpu.ts']);
});

it('only device and scheduler touch a GPUDevice; load() hands one over', () => {
  const calls = /\bGPUDevice\b|\bcreate(Buffer|BindGroup|ShaderModule|ComputePipeline|CommandEncoder|Texture)\w*\(/;
  const touching = sources.filter(({ path, text }) => path.startsWith('src/') && calls.test(text));
  expect(touching.length).toBeGreaterThan(3);
  const elsewhere = touching.filter(({ path }) => !['device', 'scheduler'].includes(roomOf(path)));
  expect(elsewhere.map(({ path }) => path)).toEqual(['src/load-options.ts', 'src/webgpu-types.ts']);
});

it('every shader has a kernel and a test of its name', () => {
  const files = readdirSync(join(root, 'shaders'), { withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map(({ name }) => name.replace('.wgsl', ''));
  const kernels = sourcesIn('src')
    .map(({ text }) => text)
    .join('\n');
  const tests = readdirSync(join(root, 'test'), { recursive: true }).map((path) => relative('.', String(path)));
  for (const name of names) {
    expect(kernels, `who imports ${name}.wgsl`).toContain(`shaders/${name}.wgsl?raw`);
    expect(tests.some((path) => path.includes(`/${name}.`)) || name.endsWith('prelude'), `test of ${name}`).toBe(true);
  }
});

it('every fragment is handed to a kernel, included by a shader, and says what it expects or gives', () => {
  const folder = join(root, 'shaders/fragments');
  const source = sources.map(({ text }) => text).join('\n');
  const texts = readdirSync(join(root, 'shaders'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.wgsl'))
    .map((path) => readFileSync(join(root, 'shaders', path), 'utf8'));
  const fragments = readdirSync(folder).map((file) => file.replace('.wgsl', ''));
  expect(fragments.length).toBeGreaterThan(10);
  for (const name of fragments) {
    expect(source, `who imports ${name}`).toContain(`shaders/fragments/${name}.wgsl?raw`);
    const [header] = readFileSync(join(folder, `${name}.wgsl`), 'utf8').split(/\n(?!\/\/)/);
    const [, included = name] = /^\/\/ In the place of `([\w-]+)`/.exec(header!) ?? [];
    const including = texts.filter((text) => new RegExp(`^#include ${included}( |$)`, 'm').test(text));
    expect(including.length, `who includes ${included}`).toBeGreaterThan(0);
    expect(header, `header of ${name}`).toMatch(/^\/\/ (Expects|Gives) {2}/m);
  }
});

it('the engine has the version of the package', async () => {
  const { version } = await import('../../src/version.ts');
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version).toBe(version);
});
