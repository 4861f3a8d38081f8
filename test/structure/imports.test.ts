import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  loaders: ['graph'],
  reference: ['graph'],
  images: ['graph'],
  plan: ['graph'],
  planner: ['plan', 'graph', 'kernels', 'wgsl', 'version'],
  device: ['plan', 'wgsl'],
  scheduler: ['plan', 'graph', 'kernels', 'device', 'images', 'wgsl'],
  validate: ['plan', 'graph', 'reference', 'planner', 'scheduler', 'device'],
  api: [
    ...['plan', 'graph', 'kernels', 'passes', 'architectures', 'loaders', 'reference', 'images', 'planner'],
    ...['device', 'scheduler', 'validate', 'version'],
  ],
  cli: ['api', 'graph', 'architectures', 'loaders'],
  demo: ['node_modules'],
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
  if (parts[0] !== 'src') return parts[0]!;
  return parts.length === 2 ? 'api' : parts[1]!;
}

/** Paths that a file imports, static or dynamic, from the root; packages are left out. */
function importsOf({ path, text }: Source): string[] {
  const specifiers = [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.[^'"]*)\1/g)].map((match) => match[2]!);
  return specifiers.map((specifier) => posix.join(posix.dirname(path), specifier.replace(/\?.*$/, '')));
}

/** One line for each import that goes against the table. */
function brokenArrows(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const from = roomOf(source.path);
    return importsOf(source).flatMap((target) => {
      const to = roomOf(target);
      if (to === from || to === 'errors') return [];
      if (allowed[from]?.includes(to)) return [];
      if (from === 'demo' && target === 'src/index.ts') return [];
      return [`${source.path} imports ${target}: ${from} must not know ${to}`];
    });
  });
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

it('imports follow the arrows of ARCHITECTURE.md', () => {
  const sources = [...sourcesIn('src'), ...sourcesIn('demo')];
  expect(sources.length).toBeGreaterThan(50);
  expect(brokenArrows(sources)).toEqual([]);
});

it('sees an import against the arrows', () => {
  const bad = [
    { path: 'src/graph/graph.ts', text: "import { load } from '../load.ts';" },
    { path: 'src/reference/conv.ts', text: "const kernels = await import('../kernels/index.ts');" },
    { path: 'demo/main.ts', text: "export { Executor } from '../src/scheduler/executor.ts';" },
    { path: 'src/kernels/add.ts', text: "import source from '../../shaders/add.wgsl?raw';" },
  ];
  expect(brokenArrows(bad)).toEqual([
    'src/graph/graph.ts imports src/load.ts: graph must not know api',
    'src/reference/conv.ts imports src/kernels/index.ts: reference must not know kernels',
    'demo/main.ts imports src/scheduler/executor.ts: demo must not know scheduler',
  ]);
});

it('only device, scheduler and what opens them touch a GPUDevice', () => {
  const rooms = new Set(['device', 'scheduler', 'validate', 'api', 'cli', 'demo']);
  const touching = sourcesIn('src').filter(({ text }) => /\bGPUDevice\b|\bcreateBuffer\(/.test(text));
  expect(touching.map(({ path }) => roomOf(path)).filter((room) => !rooms.has(room))).toEqual([]);
});

it('every shader has a kernel and a test of its name', () => {
  const names = readdirSync(join(root, 'shaders')).map((file) => file.replace('.wgsl', ''));
  const kernels = sourcesIn('src')
    .map(({ text }) => text)
    .join('\n');
  const tests = readdirSync(join(root, 'test'), { recursive: true }).map((path) => relative('.', String(path)));
  for (const name of names) {
    expect(kernels, `who imports ${name}.wgsl`).toContain(`shaders/${name}.wgsl?raw`);
    expect(tests.some((path) => path.includes(`/${name}.`)) || name === 'prelude', `test of ${name}`).toBe(true);
  }
});

it('the engine has the version of the package', async () => {
  const { version } = await import('../../src/version.ts');
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version).toBe(version);
});
