#!/usr/bin/env node
// Builds the package into a folder, dist unless given: modules for pages and Node, one file for CDNs, the command, declarations.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { build } from 'vite';

const root = fileURLToPath(new URL('../', import.meta.url));

export async function buildPackage(folder, logLevel = 'error') {
  rmSync(folder, { recursive: true, force: true });
  const into = (outDir) => ({ outDir, emptyOutDir: false });
  await build({ root, logLevel, build: into(folder) });
  await build({ root, logLevel, mode: 'cdn', build: into(join(folder, 'cdn')) });
  await build({ root, logLevel, mode: 'cli', build: into(join(folder, 'cli')) });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const every = mkdtempSync(join(tmpdir(), 'declarations-'));
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', every], {
    stdio: 'inherit',
  });
  await writeTypes(every, join(folder, 'types'));
  rmSync(every, { recursive: true });
}

/** Declarations of what the entries export, as one file an entry and what they share: no internal type is among them. */
async function writeTypes(from, folder) {
  const bundle = await rollup({ input: entries(from), plugins: [dts()], external: /^node:/, onwarn: () => {} });
  await bundle.write({
    dir: folder,
    banner: '/// <reference lib="esnext.disposable" />',
    entryFileNames: '[name].d.ts',
    chunkFileNames: ({ name }) => (name === 'internals' ? 'internals.d.ts' : 'shared.d.ts'),
    // What graphs and plans are made of is data of the engine: apart from what versions promise (docs/versions.md).
    manualChunks: (id) => (/graph\/(ops|integers|terms)\.|planner\/plan\./.test(id) ? 'internals' : undefined),
    minifyInternalExports: false,
  });
}

/** Of tsconfig.build.json: `index`, and folders with an index. */
function entries(from) {
  const { files } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));
  const paths = files.map((file) => file.replace(/^src\/(.*)\.ts$/, '$1'));
  return Object.fromEntries(paths.map((path) => [path.replace(/\/index$/, ''), join(from, `${path}.d.ts`)]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPackage(resolve(process.argv[2] ?? join(root, 'dist')), 'warn');
}
