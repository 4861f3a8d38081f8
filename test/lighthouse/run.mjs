#!/usr/bin/env node
// Lighthouse on the built page: installs it where it is missing (--no-install refuses), then runs test/lighthouse/main.ts.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./', import.meta.url));
const argv = process.argv.slice(2);
if (!existsSync(`${folder}node_modules/lighthouse`)) {
  const command = 'npm ci --ignore-scripts --prefix test/lighthouse';
  if (argv.includes('--no-install')) {
    process.stderr.write(`Lighthouse is not in ${folder}node_modules; --no-install is set. Install it: ${command}\n`);
    process.exit(2);
  }
  process.stderr.write(`installing Lighthouse (${command}), 190 MB …\n`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { status } = spawnSync(npm, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) process.exit(1);
}
const { runCommand } = await import('../../src/cli/run-command.mjs');
await runCommand('/test/lighthouse/main.ts', argv);
