#!/usr/bin/env node
// The bench: installs its peers where they are missing, then runs bench/main.ts.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../src/cli/run-command.mjs';

const folder = fileURLToPath(new URL('./', import.meta.url));
if (!existsSync(`${folder}node_modules/@tensorflow/tfjs-core`)) {
  process.stderr.write('installing the peers into bench/node_modules …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) {
    process.stderr.write('the peers could not be installed: run "npm install" in bench/ and read what it says\n');
    process.exit(1);
  }
}
await runCommand('/bench/main.ts', process.argv.slice(2));
