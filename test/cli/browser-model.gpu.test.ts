/** Commands that look at pictures with a model in a page of an installed browser. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { main as classify } from '../../src/cli/classify.ts';
import { main as embed } from '../../src/cli/embed.ts';
import { runPasses } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { type Ended, runMain } from '../support/command.ts';
import { writePictures } from '../support/generated-pictures.ts';
import { browsers, suite } from '../support/suite.ts';

let folder = '';
let model: readonly string[] = [];
let pictures: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'browser-model-'));
  writeFileSync(join(folder, 'm.tflite'), writeTflite(runPasses(buildArchitecture('v1-0.25-32', { classes: 4 }))));
  writeFileSync(join(folder, 'labels.txt'), 'ash\nbirch\ncedar\ndogwood\n');
  model = ['--model', join(folder, 'm.tflite'), '--labels', join(folder, 'labels.txt'), '--range=-1,1', '--json'];
  pictures = writePictures(join(folder, 'pictures'), 3);
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Line {
  readonly file: string;
  readonly device: string;
  readonly adapter: object | null;
  readonly top: readonly { readonly label: string; readonly index: number; readonly score: number }[];
  readonly embedding: readonly number[];
}

const linesOf = ({ stdout }: Ended): Line[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe.each(browsers)('--browser %s', (browser) => {
  it('classify (and embed, in the full suite) see what they see in Node', async () => {
    const commands = [
      [classify, 'top'],
      [embed, 'embedding'],
    ] as const;
    for (const [main, field] of commands.slice(0, suite === 'full' ? 2 : 1)) {
      const inPage = await runMain(main, ...model, '--browser', browser, ...pictures, join(folder, 'labels.txt'));
      // The last is no picture, and is told of.
      expect([inPage.code, inPage.stderr]).toEqual([1, expect.stringContaining('labels.txt')]);
      const here = linesOf(await runMain(main, ...model, '--device', 'reference', ...pictures));
      const there = linesOf(inPage);
      expect(there.map(({ file, device }) => [file, device])).toEqual(pictures.map((file) => [file, 'webgpu']));
      for (const [i, line] of there.entries()) {
        const numbers = (one: Line) => (field === 'top' ? one.top.map(({ score }) => score) : one.embedding);
        const expected = numbers(here[i]!);
        for (const [k, value] of numbers(line).entries()) expect(value).toBeCloseTo(expected[k]!, 4);
        if (field === 'top') {
          expect(line.top.map(({ label }) => label)).toEqual(here[i]!.top.map(({ label }) => label));
          expect(line.adapter).toMatchObject({ software: expect.any(Boolean) });
        }
      }
    }
  });
});

it('an unknown browser is refused, and (in the full suite) an error of the page is told', async () => {
  const unknown = await runMain(classify, ...model, '--browser', 'opera', ...pictures);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('--browser is "opera"')]);
  if (suite !== 'full') return;
  const refused = await runMain(classify, ...model, '--browser', 'chrome', '--device', 'wasm', ...pictures);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/wasm|CPU/)]);
});
