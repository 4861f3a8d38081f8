/** Small sound files of every format, with seeded damage anywhere: each loads, or ends in a typed error, soon and in little memory. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Outcome } from '../support/mutations.ts';
import { soundFiles } from '../support/sound-files.ts';
import { suite } from '../support/suite.ts';

const FILES = suite === 'full' ? 2000 : 200;
/** That one file may take. */
const MOST_CPU_SECONDS = 1;
const MOST_BYTES = 100e6;

const run = promisify(execFile);

test.for(Object.keys(soundFiles))(`%s: ${FILES} damaged files load or end in a typed error`, async (format) => {
  const { stdout } = await run(process.execPath, ['test/support/mutate.mjs', format, String(FILES)]);
  const { refused, untyped, slowest, largest } = JSON.parse(stdout) as Outcome;
  process.stdout.write(
    `${format}: ${FILES} damaged files, ${refused} refused; at most ${slowest.seconds.toFixed(2)} s of CPU ` +
      `(seed ${slowest.seed}) and ${(largest.bytes / 1e6).toFixed(1)} MB allocated (seed ${largest.seed})\n`,
  );
  expect(untyped).toEqual([]);
  expect(slowest.seconds, `CPU seconds of seed ${slowest.seed}`).toBeLessThan(MOST_CPU_SECONDS);
  expect(largest.bytes, `bytes of seed ${largest.seed}`).toBeLessThan(MOST_BYTES);
  // Files of one table of numbers more than not hold after damage what they held.
  expect(refused).toBeGreaterThan(FILES / 10);
});
