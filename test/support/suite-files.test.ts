import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runScript } from './command.ts';
import { longest, notQuick, notQuickOnGpu } from './suite-files.ts';

it('names files that are there', () => {
  expect([...notQuick, ...notQuickOnGpu, ...longest].filter((file) => !existsSync(file))).toEqual([]);
});

it('has parts of the full suite, which it lists', async () => {
  const listed = await runScript('test/full.mjs', '--list');
  expect(listed).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/mutations[\s\S]*engine/) });
  const unknown = await runScript('test/full.mjs', '--part', 'kernel');
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/no part "kernel"[\s\S]*kernels/) });
});
