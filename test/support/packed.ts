import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildPackage } from '../../scripts/build.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** This repository's package.json. */
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** A command of Node's in a folder; what it wrote to standard output. */
export async function node(cwd: string, ...args: readonly string[]): Promise<string> {
  return (await run(process.execPath, args, { cwd, maxBuffer: 2 ** 26 })).stdout;
}

/** npm in a folder, its cache before its registry; what it wrote to standard output. */
export async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const windows = process.platform === 'win32';
  return (await run(windows ? 'npm.cmd' : 'npm', [...args, ...quiet], { cwd, shell: windows, maxBuffer: 2 ** 26 }))
    .stdout;
}

/** Builds the package in a folder of its own and packs it as npm would publish it. */
export async function packPackage(folder: string): Promise<{ readonly tarball: string; readonly files: string[] }> {
  const source = join(folder, 'package');
  mkdirSync(source, { recursive: true });
  await buildPackage(join(source, 'dist'));
  for (const file of ['LICENSE', 'README.md', 'CHANGELOG.md']) cpSync(join(root, file), join(source, file));
  const { scripts: _, devDependencies: __, ...published } = manifest;
  writeFileSync(join(source, 'package.json'), JSON.stringify(published));
  // npm 11 gives a list, npm 12 an object by name.
  const packed = Object.values(JSON.parse(await npm(source, 'pack', '--json', '--pack-destination', folder)));
  const [{ filename, files }] = packed as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) };
}
