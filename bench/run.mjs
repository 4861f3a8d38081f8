#!/usr/bin/env node
// The bench: installs its peers where they are missing or of another version (--no-install refuses), then runs
// bench/main.ts (bench/host.ts).
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));

const installed = (name) => {
  try {
    return JSON.parse(readFileSync(`${folder}node_modules/${name}/package.json`, 'utf8')).version;
  } catch {
    return null;
  }
};

const argv = process.argv.slice(2);
const missing = Object.entries(dependencies).filter(([name, version]) => installed(name) !== version);
if (missing.length > 0 && !argv.some((argument) => argument === '--help' || argument === '-h')) install();
const { runCommand } = await import('../src/cli/run-command.mjs');
const module = argv.includes('--host') ? 'host' : argv.includes('--isa') ? 'isa/main' : 'main';
await runCommand(`/bench/${module}.ts`, argv);

/** Exact versions from bench/package-lock.json, without their install scripts. */
function install() {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const command = `npm ${args.join(' ')} --prefix bench`;
  const peers = missing.map(([name, version]) => `${name} ${version}`).join(', ');
  if (argv.includes('--no-install')) {
    process.stderr.write(`not in ${folder}node_modules: ${peers}; --no-install is set. Install them: ${command}\n`);
    process.exit(2);
  }
  process.stderr.write(`installing the peers into ${folder}node_modules (${command}): ${peers} …\n`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, args, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    process.stderr.write(`the peers could not be installed: run "${command}" and read what it says\n`);
    process.exit(1);
  }
}
