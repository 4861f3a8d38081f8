import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/convert.ts';
import { seededInputs } from '../../src/index.ts';
import { runMain } from '../support/command.ts';
import { soundFiles } from '../support/sound-files.ts';
import { load } from '../support/unchecked-load.ts';

let folder = '';
const at = (name: string) => join(folder, name);
const open = (name: string) => load(new Uint8Array(readFileSync(at(name))), { device: 'reference' });

async function convert(from: string, to: string, ...options: string[]) {
  const { code, stdout, stderr } = await runMain(
    main,
    ...[at(from), '--out', at(to), '--device', 'reference', '--json', ...options],
  );
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'convert-'));
  writeFileSync(at('quantised.tflite'), (await soundFiles['quantised TensorFlow Lite']!()).bytes);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('convert of a quantised file', () => {
  it('keeps its integers, to the bit', async () => {
    expect(await convert('quantised.tflite', 'kept.safetensors')).toMatchObject({
      weights: 'integers',
      compared: null,
    });
    expect(await convert('kept.safetensors', 'again.safetensors')).toMatchObject({ weights: 'integers' });
    const before = await open('quantised.tflite');
    const inputs = seededInputs(before.graph);
    for (const name of ['kept.safetensors', 'again.safetensors']) {
      const after = await open(name);
      expect([before.precision, after.precision]).toEqual(['int8', 'int8']);
      expect(await after.run(inputs)).toEqual(await before.run(inputs));
    }
  });

  it('says that weights stay bytes', async () => {
    await convert('quantised.tflite', 'bytes.safetensors', '--weights', 'int8');
    expect(await convert('bytes.safetensors', 'still.safetensors')).toMatchObject({ weights: 'int8', compared: null });
  });

  it('is on real numbers where weights are asked for', async () => {
    expect(await convert('quantised.tflite', 'real.safetensors', '--weights', 'float32')).toMatchObject({
      weights: 'float32',
    });
    expect((await open('real.safetensors')).precision).toBe('float32');
  });
});
