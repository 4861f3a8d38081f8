import { existsSync, readFileSync } from 'node:fs';
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

it.each(['matrix', 'mutate'])('has npm run %s, which says how it is used', async (name) => {
  const usage = expect.stringContaining(`usage: npm run ${name} --`);
  expect(await runScript(`test/${name}.mjs`, '--help')).toMatchObject({ code: 0, stderr: '', stdout: usage });
  expect(await runScript(`test/${name}.mjs`, '--no')).toMatchObject({ code: 2, stderr: usage, stdout: '' });
});

it('documents as many stacks of WebGPU as there are, and as many as were run', async () => {
  const { stdout } = await runScript('test/matrix.mjs', '--help');
  const words = ['eight', 'nine', 'ten', 'eleven', 'twelve'];
  const there = words[stdout.match(/^ {2}\S/gm)!.length - 8];
  const [heads] = readFileSync('docs/matrix.md', 'utf8').match(/(?<=^\| kernel \| ).*/m)!;
  const ran = words[heads!.split(' | ').length - 8];
  for (const name of ['ARCHITECTURE.md', 'CHANGELOG.md']) {
    const text = readFileSync(name, 'utf8').replace(/\s+/g, ' ');
    const both = new RegExp(`${there} stacks of WebGPU.*docs/matrix\\.md.{0,40}the ${ran} that were run`);
    expect(text, name).toMatch(both);
  }
});
