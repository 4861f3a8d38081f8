#!/usr/bin/env node
// Damaged files by the hundred thousand: npm run mutate -- [--files N] [--format NAME]… [--from SEED]
// Every 500 are loaded in a process of their own, so that a crash or a leak shows; seeds are the same in every run.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { given, known } from './support/given.mjs';

const BATCH = 500;
/** That one file may take. */
const MOST_CPU_SECONDS = 1;
const MOST_BYTES = 100e6;

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

const help = `usage: npm run mutate -- [--files N] [--format NAME]… [--from SEED]
Loads N damaged files of each format, 100000 unless given, or of those that are named, from a seed on.
`;

const values = given(help, {
  files: { type: 'string', default: '100000' },
  from: { type: 'string', default: '1' },
  format: { type: 'string', multiple: true },
});
const folder = await mkdtemp(join(root, 'node_modules', '.mutate-'));
try {
  await build({
    configFile: false,
    logLevel: 'error',
    root,
    build: { ssr: 'test/support/mutations.ts', outDir: folder, target: 'node20', minify: false },
  });
  const bundle = pathToFileURL(join(folder, 'mutations.js')).href;
  const counter = new URL('support/count-allocations.mjs', import.meta.url).href;
  const child = join(folder, 'child.mjs');
  await writeFile(
    child,
    `import { allocated } from ${JSON.stringify(counter)};
const { mutate } = await import(${JSON.stringify(bundle)});
const [format, files, first] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await mutate(format, Number(files), allocated, Number(first))));
`,
  );
  const { formats } = await import(bundle);
  known('format', values.format, formats);
  for (const format of values.format ?? formats) await damage(child, format, Number(values.files), Number(values.from));
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** One line of what became of a format's files, and one of each that is a finding. */
async function damage(child, format, files, first) {
  const start = Date.now();
  let refused = 0;
  let slowest = { seed: 0, seconds: 0 };
  let largest = { seed: 0, bytes: 0 };
  const findings = [];
  for (let done = 0; done < files; done += BATCH) {
    const from = first + done;
    const count = Math.min(BATCH, files - done);
    try {
      const { stdout } = await run(process.execPath, [child, format, String(count), String(from)], {
        cwd: root,
        timeout: 600_000,
      });
      const outcome = JSON.parse(stdout);
      refused += outcome.refused;
      if (outcome.slowest.seconds > slowest.seconds) slowest = outcome.slowest;
      if (outcome.largest.bytes > largest.bytes) largest = outcome.largest;
      if (outcome.slowest.seconds > MOST_CPU_SECONDS)
        findings.push(`seed ${outcome.slowest.seed}: ${outcome.slowest.seconds} s`);
      if (outcome.largest.bytes > MOST_BYTES)
        findings.push(`seed ${outcome.largest.seed}: ${outcome.largest.bytes} bytes`);
      for (const { seed, error } of outcome.untyped) findings.push(`seed ${seed}: ${error}`);
    } catch (error) {
      findings.push(`seeds from ${from} on: the process ended: ${String(error.stderr || error.message).slice(0, 500)}`);
    }
  }
  for (const finding of findings) process.stdout.write(`${format}: ${finding}\n`);
  process.stdout.write(
    `${format}: ${files} damaged files from seed ${first} on, ${refused} refused, ${findings.length} findings; at most ` +
      `${slowest.seconds.toFixed(2)} s of CPU (seed ${slowest.seed}), ${(largest.bytes / 1e6).toFixed(1)} MB (seed ${largest.seed}); ` +
      `${((Date.now() - start) / 60_000).toFixed(1)} min\n`,
  );
  if (findings.length > 0) process.exitCode = 1;
}
