import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createCanvas } from '@napi-rs/canvas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTflite } from '../../bench/writers/tflite.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { alignLabels } from '../../src/cli/classify.ts';
import { runPasses } from '../../src/passes/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder = '';

async function classify(...args: string[]) {
  try {
    const options = { cwd: root };
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['src/cli/run.mjs', 'classify', ...args],
      options,
    );
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'classify-'));
  writeFileSync(at('model.tflite'), writeTflite(runPasses(buildArchitecture('v1-0.25-64', { classes: 4 }))));
  writeFileSync(at('labels.txt'), 'ash\nbirch\ncedar\ndogwood\n');
  writeFileSync(at('many.txt'), 'a\nb\nc\nd\ne\nf\n');
  const canvas = createCanvas(40, 30);
  const context = canvas.getContext('2d');
  context.fillStyle = 'teal';
  context.fillRect(5, 5, 20, 20);
  for (const format of ['png', 'jpeg', 'webp'] as const)
    writeFileSync(at(`picture.${format}`), canvas.toBuffer(`image/${format}` as 'image/png'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('classify', () => {
  it('prints a JSON line a picture, with probabilities, on the CPU where asked', async () => {
    const pictures = ['png', 'jpeg', 'webp'].map((format) => at(`picture.${format}`));
    const model = ['--model', at('model.tflite'), '--labels', at('labels.txt'), '--range=-1,1', '--device', 'cpu'];
    const { code, stdout } = await classify(...model, '--top', '3', '--json', ...pictures);
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ file }) => file)).toEqual(pictures);
    for (const { device, adapter, top } of lines) {
      expect([device, adapter]).toEqual(['cpu', null]);
      expect(top).toHaveLength(3);
      for (const { label, index, score } of top) {
        expect(label).toBe(['ash', 'birch', 'cedar', 'dogwood'][index]);
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThanOrEqual(1);
      }
      expect(top[0].score).toBeGreaterThanOrEqual(top[1].score);
    }
  });

  it('goes on after a bad picture, and ends with 1', async () => {
    const args = ['--model', at('model.tflite'), '--range=0,1', '--device', 'cpu', '--json'];
    const { code, stdout, stderr } = await classify(...args, 'README.md', at('missing.png'), at('picture.png'));
    expect(code).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/README\.md could not be decoded/);
    expect(stderr).toMatch(/missing\.png/);
  });

  it('says what it needs', async () => {
    expect((await classify('picture.png')).code).toBe(2);
    expect((await classify('--model', at('model.tflite'))).code).toBe(2);
    expect((await classify('--model', at('model.tflite'), '--device', 'tpu', 'x.png')).stderr).toMatch(
      /--device is "tpu"/,
    );
    const args = ['--model', at('model.tflite'), '--device', 'cpu', at('picture.png')];
    expect((await classify(...args)).stderr).toMatch(/does not say how a picture becomes its input/);
    expect((await classify('--labels', at('many.txt'), '--range=0,1', ...args)).stderr).toMatch(
      /6 labels and the model 4 classes/,
    );
  });

  it('aligns labels on the background', () => {
    const trees = ['ash', 'birch'];
    expect(alignLabels(trees, 2, 'l')).toEqual(trees);
    expect(alignLabels(['background', ...trees], 2, 'l')).toEqual(trees);
    expect(alignLabels(trees, 3, 'l')).toEqual(['background', ...trees]);
    expect(() => alignLabels(['oak', ...trees], 2, 'l')).toThrow(/3 labels and the model 2 classes/);
    expect(() => alignLabels(trees, 9, 'l')).toThrow(/2 labels/);
  });
});
