/** Scales and zero points that cannot be: each ends in an error that names the tensor. */
import { describe, expect, test } from 'vitest';
import { ModelFormatError, UnsupportedOpError } from '../../src/errors.ts';
import { load } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import { type ModelSpec, writeOnnx } from '../support/onnx-writer.ts';
import { type TensorSpec, tfliteFile } from '../support/tflite-writer.ts';

const dims = [1, 4, 4, 2];

/** A convolution of 8 bits whose tensors have in part other fields. */
function file(type: 'INT8' | 'UINT8', changed: Readonly<Record<string, Partial<TensorSpec>>>): Uint8Array {
  const zero = type === 'UINT8' ? 128 : 0;
  const tensors: TensorSpec[] = [
    { name: 'x', dims },
    { name: 'q', dims, type, scales: [0.5], zeroPoints: [zero] },
    {
      name: 'w',
      dims: [2, 1, 1, 2],
      type,
      scales: [0.25],
      zeroPoints: [zero],
      data: Uint8Array.of(1, 2, 3, 4),
    },
    { name: 'b', dims: [2], type: 'INT32', scales: [0.125], zeroPoints: [0], data: new Uint8Array(8) },
    { name: 'r', dims, type, scales: [1], zeroPoints: [zero] },
    { name: 'y', dims },
  ];
  return tfliteFile({
    tensors: tensors.map((tensor) => ({ ...tensor, ...changed[tensor.name] })),
    operators: [
      { op: 'QUANTIZE', inputs: ['x'], output: 'q' },
      { op: 'CONV_2D', inputs: ['q', 'w', 'b'], output: 'r', options: { 0: ['byte', 0], 1: 1, 2: 1, 3: ['byte', 0] } },
      { op: 'DEQUANTIZE', inputs: ['r'], output: 'y' },
    ],
  });
}

const onIntegers = async (bytes: Uint8Array, name = 'bad.tflite') =>
  integerGraph(await loadGraph({ name, bytes }, { quantisation: true }));

describe('TensorFlow Lite', () => {
  const scales = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const tensors = ['q', 'w', 'b', 'r'];
  test.each(tensors.flatMap((name) => scales.map((scale) => [name, scale] as const)))(
    'tensor "%s" has the scale %d',
    async (name, scale) => {
      const opened = onIntegers(file('INT8', { [name]: { scales: [scale] } }));
      await expect(opened).rejects.toThrow(ModelFormatError);
      await expect(opened).rejects.toThrow(`tensor "${name}" has the quantisation scale ${scale}`);
    },
  );

  test.each([
    ['INT8', 'q', 128],
    ['INT8', 'w', -129],
    ['INT8', 'r', 1000],
    ['UINT8', 'q', -1],
    ['UINT8', 'w', 256],
    ['INT8', 'b', 2 ** 31],
  ] as const)('%s, tensor "%s" has the zero point %d', async (type, name, zeroPoint) => {
    const opened = onIntegers(file(type, { [name]: { zeroPoints: [zeroPoint] } }));
    await expect(opened).rejects.toThrow(ModelFormatError);
    await expect(opened).rejects.toThrow(`tensor "${name}" has the zero point ${zeroPoint}`);
  });

  test.each([
    ['three scales for two outputs', { w: { scales: [1, 1, 1], zeroPoints: [0, 0, 0] } }, /tensor "w" .*3 scales/],
    ['two scales and one zero point', { w: { scales: [1, 1], zeroPoints: [0] } }, /tensor "w" has 2 scales and 1 zero/],
    ['a bias with three', { b: { scales: [1, 1, 1], zeroPoints: [0, 0, 0] } }, /tensor "b" .*3 scales/],
    [
      'scales of the bias that are one more',
      { b: { scales: [0.125, 0.125], zeroPoints: [0, 0] } },
      /tensor "b" has 2 scales, and the weights have 1/,
    ],
    [
      'a bias that is not of the products',
      { b: { scales: [0.13] } },
      /tensor "b" is a bias with the scale 0\.12999.*, expected that of the input "q" times that of the weights, 0\.125/,
    ],
    [
      'a computed tensor with two',
      { r: { scales: [1, 1], zeroPoints: [0, 0] } },
      /tensor "r" is computed and has 2 scales/,
    ],
  ] as const)('%s', async (_, changed, message) => {
    const opened = onIntegers(file('INT8', changed));
    await expect(opened).rejects.toThrow(ModelFormatError);
    await expect(opened).rejects.toThrow(message);
  });

  test('weights with a zero point for each channel are real numbers for those who ask for what can run', async () => {
    const bytes = file('INT8', {
      w: { scales: [0.25, 0.25], zeroPoints: [0, 3] },
      b: { scales: [0.125, 0.125], zeroPoints: [0, 0] },
    });
    await expect(onIntegers(bytes)).rejects.toThrow(UnsupportedOpError);
    await expect(onIntegers(bytes)).rejects.toThrow(/node "r" .*weights "w" with several zero points/);
    await expect(load(bytes, { device: 'reference', precision: 'int8' })).rejects.toThrow(UnsupportedOpError);
    const precisions = await Promise.all(
      ([{}, { precision: 'float32' }] as const).map(
        async (choice) => (await load(bytes, { device: 'reference', ...choice })).precision,
      ),
    );
    expect(precisions).toEqual(['float32', 'float32']);
  });

  test('a sound one runs on integers where nothing else is asked for', async () => {
    const model = await load(file('INT8', {}), { device: 'reference' });
    expect(model.precision).toBe('int8');
    expect(model.graph.quantisation).toBeUndefined();
    const saved = await load(await model.save(), { device: 'reference' });
    expect(saved.precision).toBe('int8');
    const real = await load(file('INT8', {}), { device: 'reference', precision: 'float32' });
    expect([real.precision, real.graph.quantisation]).toEqual(['float32', undefined]);
    await expect(load(file('INT8', {}), { device: 'reference', embedding: true, precision: 'int8' })).rejects.toThrow(
      /embedding/,
    );
  });
});

describe('ONNX', () => {
  const model = (changed: NonNullable<ModelSpec['initializers']>): Uint8Array =>
    writeOnnx({
      opset: 17,
      nodes: [
        { op: 'QuantizeLinear', inputs: ['x', 's', 'z'], outputs: ['q'] },
        { op: 'QLinearConv', inputs: ['q', 's', 'z', 'w', 'ws', 'wz', 's', 'z', 'b'], outputs: ['r'] },
        { op: 'DequantizeLinear', inputs: ['r', 's', 'z'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', type: 'float', dims: [1, 2, 4, 4] }],
      outputs: [{ name: 'y', type: 'float' }],
      initializers: {
        s: { dims: [], values: [0.5] },
        z: { dims: [], type: 'uint8', values: [128] },
        w: { dims: [2, 2, 1, 1], type: 'int8', values: [1, 2, 3, 4] },
        ws: { dims: [], values: [0.25] },
        wz: { dims: [], type: 'int8', values: [0] },
        b: { dims: [2], type: 'int32', values: [1, 2] },
        ...changed,
      },
    });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a scale of %d', async (scale) => {
    const opened = onIntegers(model({ ws: { dims: [], values: [scale] } }), 'bad.onnx');
    await expect(opened).rejects.toThrow(ModelFormatError);
    await expect(opened).rejects.toThrow(`node "r" (QLinearConv): has the scale ${scale}`);
  });

  test('lists of other lengths than the channels', async () => {
    const ws = { dims: [3], values: [1, 1, 1] };
    const wz = { dims: [3], type: 'int8', values: [0, 0, 0] } as const;
    await expect(onIntegers(model({ ws, wz }), 'bad.onnx')).rejects.toThrow(/node "r" .*3 scales/);
    await expect(onIntegers(model({ ws }), 'bad.onnx')).rejects.toThrow(/node "r" .*3 scales and 1 zero points/);
  });
});
