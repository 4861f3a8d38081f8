#!/usr/bin/env node
// The full suite: every part of `npm test` with what takes long as well. One part: npm run test:full -- --part NAME
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { given, known } from './support/given.mjs';

/** Each is done within an hour on two cores, and can be run again by itself. */
const parts = {
  page: ['the page on screens of 320 to 2560 px', ['test/demo/']],
  trust: [
    'lost devices, memory, the self-check: 20 losses, 10,000 inferences, 400 mutated shaders',
    ['test/device/', 'test/tuning/'],
  ],
  lighthouse: ['the built page under Lighthouse, which is installed into test/lighthouse', ['test/lighthouse/']],
  mutations: ['damaged and hostile files: more mutations of every format', ['test/loaders/']],
  models: ['real models, every one that the packages bring', ['test/models/', 'test/tasks/']],
  kernels: ['the case tables of kernels, each case on float16 storage as well', ['test/kernels/']],
  package: ['the package as installed, with Dawn (132 MB)', ['test/package/']],
  engine: ['everything else, as in "npm test"', []],
};

/** Of Vitest: the folders of a part, or all folders but those of the others. */
function filtersOf(name) {
  const [, folders] = parts[name];
  if (folders.length > 0) return folders;
  const others = Object.values(parts).flatMap(([, names]) => names);
  return others.flatMap((folder) => ['--exclude', `${folder}**`]);
}

const list = Object.entries(parts).map(([name, [what]]) => `  ${name.padEnd(10)} ${what}`);
const help = `usage: npm run test:full -- [--part NAME]… [--list]
Each part may be run by itself; without --part all of them run, one after another. The parts:
${list.join('\n')}
`;

const options = { part: { type: 'string', multiple: true }, list: { type: 'boolean' } };
const { part: chosen = Object.keys(parts), list: lists } = given(help, options, ({ part }) =>
  known('part', part, Object.keys(parts)),
);

process.stdout.write(help);
if (lists) process.exit(0);
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const lighthouse = fileURLToPath(new URL('lighthouse/run.mjs', import.meta.url));
const failed = [];
for (const name of chosen) {
  const start = Date.now();
  const command = name === 'lighthouse' ? [lighthouse] : [vitest, 'run', '--mode', 'full', ...filtersOf(name)];
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' });
  if (status !== 0) failed.push(name);
  const minutes = ((Date.now() - start) / 60_000).toFixed(1);
  process.stdout.write(`part ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${minutes} min\n`);
}
if (failed.length > 0) {
  process.stdout.write(`run again: npm run test:full -- ${failed.map((name) => `--part ${name}`).join(' ')}\n`);
  process.exit(1);
}
