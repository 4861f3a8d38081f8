/** The advice of `classify` where Dawn is missing works in a checkout and in another package: it installs Dawn. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installAdvice } from '../../src/node/gpu.ts';

const run = promisify(execFile);
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
let folder = '';
let registry: Server;
let address = '';

/** A registry of one package, whose name is that of Dawn's: npm treats a package of a registry unlike a folder. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'webgpu-package-'));
  const source = join(folder, 'source');
  mkdirSync(source);
  writeFileSync(join(source, 'package.json'), JSON.stringify({ name: 'webgpu', version: '0.6.2', type: 'module' }));
  await run(npm, ['pack', '--silent'], { cwd: source, shell: process.platform === 'win32' });
  const archive = readFileSync(join(source, 'webgpu-0.6.2.tgz'));
  registry = createServer((request, response) => {
    if (request.url?.endsWith('.tgz')) return response.end(archive);
    if (request.url !== '/webgpu') return response.writeHead(404).end('{}');
    const dist = {
      tarball: `${address}/webgpu-0.6.2.tgz`,
      integrity: `sha512-${createHash('sha512').update(archive).digest('base64')}`,
    };
    const versions = { '0.6.2': { name: 'webgpu', version: '0.6.2', dist } };
    response.setHeader('Content-Type', 'application/json');
    return response.end(JSON.stringify({ name: 'webgpu', 'dist-tags': { latest: '0.6.2' }, versions }));
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
});

afterAll(() => {
  registry?.close();
  rmSync(folder, { recursive: true });
});

const ours = JSON.parse(readFileSync('package.json', 'utf8'));

it.each([
  ['in a checkout of this package', { ...ours, dependencies: {}, devDependencies: {} }],
  ['in a package of a user', { name: 'user', version: '1.0.0' }],
])('%s', async (what, manifest) => {
  const root = join(folder, what.replaceAll(' ', '-'));
  mkdirSync(root);
  writeFileSync(join(root, 'package.json'), JSON.stringify(manifest));
  const [command, ...args] = installAdvice.split(' ');
  expect(command).toBe('npm');
  const own = ['--registry', address, '--cache', join(folder, 'cache'), '--no-audit', '--no-fund', '--ignore-scripts'];
  const options = { cwd: root, shell: process.platform === 'win32' };
  // The lock file that this leaves is part of the matter.
  await run(npm, ['install', ...own], options);
  await run(npm, [...args, ...own], options);
  expect(existsSync(join(root, 'node_modules', 'webgpu', 'package.json'))).toBe(true);
});
