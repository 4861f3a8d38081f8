import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../src/architectures/index.ts';
import { ModelFormatError } from '../../../src/errors.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { prepare } from '../../../src/passes/index.ts';
import { writeTflite } from '../../../src/writers/tflite.ts';
import { withArchive } from '../../support/tflite-archive.ts';

const model = writeTflite(prepare(buildArchitecture('v1-0.25-32')));
const lines = (count: number) => Array.from({ length: count }, (_, i) => `class ${i}`);
const text = (labels: readonly string[], end = '\n') => new TextEncoder().encode(labels.join('\n') + end);

const labelsOf = async (archive: Uint8Array) =>
  (await loadGraph({ name: 'a.tflite', bytes: withArchive(model, archive) })).labels;

describe('labels in the associated files of a TensorFlow Lite file', () => {
  it.each([0, 9] as const)('are read at compression level %i', async (level) => {
    const labels = lines(1000);
    expect(await labelsOf(zipSync({ 'labels.txt': text(labels) }, { level }))).toEqual(labels);
    expect(await labelsOf(zipSync({ 'notes.txt': text(['x']), 'l.txt': text(labels, '\r\n\n') }, { level }))).toEqual(
      labels,
    );
  });

  it('are left out where no list has a line for each class', async () => {
    expect(await labelsOf(zipSync({ 'labels.txt': text(lines(999)) }))).toBeUndefined();
    expect(await labelsOf(zipSync({ 'labels.json': text(lines(1000)) }))).toBeUndefined();
    expect((await loadGraph({ name: 'a.tflite', bytes: model })).labels).toBeUndefined();
  });

  it('are not unpacked where they claim too much', async () => {
    expect(await labelsOf(zipSync({ 'labels.txt': new Uint8Array(200_000_000) }))).toBeUndefined();
  });

  it('that are damaged are refused', async () => {
    const archive = zipSync({ 'labels.txt': text(lines(1000)) }, { level: 9 });
    archive.fill(0xff, 60, 200);
    await expect(labelsOf(archive)).rejects.toThrow(ModelFormatError);
    await expect(labelsOf(archive)).rejects.toThrow(/a\.tflite: has associated files that cannot be unpacked/);
  });

  const folder = process.env.IMAGENET_MODELS ?? '';
  const real = join(folder, 'mobilenet_v2_1.0_224_quant.tflite');
  it('of a real model are its 1001 classes', async ({ skip }) => {
    if (!folder || !existsSync(real)) skip('IMAGENET_MODELS names no folder with the model');
    const { labels } = await loadGraph({ name: 'quant.tflite', bytes: readFileSync(real) });
    expect(labels).toHaveLength(1001);
    expect(labels!.slice(0, 2)).toEqual(['background', 'tench, Tinca tinca']);
  });
});
