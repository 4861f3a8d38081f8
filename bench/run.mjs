#!/usr/bin/env node
// The bench: installs its peers where they are missing or of another version, then runs bench/main.ts (bench/host.ts).
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../src/cli/run-command.mjs';

const folder = fileURLToPath(new URL('./', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));

const installed = (name) => {
  try {
    return JSON.parse(readFileSync(`${folder}node_modules/${name}/package.json`, 'utf8')).version;
  } catch {
    return null;
  }
};

if (Object.entries(dependencies).some(([name, version]) => installed(name) !== version)) {
  process.stderr.write('installing the peers into bench/node_modules …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    process.stderr.write('the peers could not be installed: run "npm ci" in bench/ and read what it says\n');
    process.exit(1);
  }
}
const argv = process.argv.slice(2);
await runCommand(argv.includes('--host') ? '/bench/host.ts' : '/bench/main.ts', argv);
