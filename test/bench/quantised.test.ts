import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hasQuantisedTensors } from '../../bench/quantised.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { writeFlat } from '../support/flat-writer.ts';

/** A file of tensors of these types (TensorType of schema.fbs) and nothing else. */
function fileOf(...types: readonly number[]): Uint8Array {
  const tensors = types.map((type) => ({ fields: { 0: { ints: [1, 3] }, 1: ['byte', type] } }) as const);
  return writeFlat({ fields: { 0: 3, 2: { tables: [{ fields: { 0: { tables: tensors } } }] } } }, 'TFL3');
}

test('weights in float16 and shapes in int32 are not quantised', () => {
  const objectron = 'node_modules/@mediapipe/objectron/object_detection_3d_cup.tflite';
  expect(hasQuantisedTensors(new Uint8Array(readFileSync(objectron)))).toBe(false);
  expect(hasQuantisedTensors(writeTflite(runPasses(buildArchitecture('v1-0.25-32'))))).toBe(false);
  expect(hasQuantisedTensors(fileOf(0, 1, 2, 4))).toBe(false);
});

test.each([3, 7, 9, 17])('a tensor of type %i anywhere is', (type) => {
  expect(hasQuantisedTensors(fileOf(0, 2, type))).toBe(true);
});
