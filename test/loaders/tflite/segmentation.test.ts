/** What segmentation networks and pose estimators of TensorFlow Lite are made of, against LiteRT.js. */
import { describe, expect, it } from 'vitest';
import { MobileNetError } from '../../../src/errors.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { cheaply } from '../../support/cost.ts';
import { flexOptions } from '../../support/flex-options.ts';
import { liteRtOutputs } from '../../support/litert.ts';
import { normalisedMeanSquareError, randomValues } from '../../support/oracles.ts';
import { type ModelSpec, type OperatorSpec, type TensorSpec, tfliteFile } from '../../support/tflite-writer.ts';

const f32 = (name: string, dims: readonly number[], seed: number): TensorSpec => {
  const values = randomValues(
    dims.reduce((a, b) => a * b, 1),
    seed,
  );
  return { name, dims, data: new Uint8Array(values.buffer) };
};
const i32 = (name: string, dims: readonly number[], ...values: number[]): TensorSpec => ({
  name,
  dims,
  type: 'INT32',
  data: new Uint8Array(Int32Array.from(values).buffer),
});
const open = (bytes: Uint8Array) => loadGraph({ name: 'm.tflite', bytes });

async function expectSame(file: Uint8Array, dims: readonly number[], ops: readonly string[]): Promise<void> {
  const data = randomValues(
    dims.reduce((a, b) => a * b, 1),
    7,
  );
  const graph = await open(file);
  expect(graph.nodes.map(({ op }) => op)).toEqual(ops);
  const [expected] = Object.values(await liteRtOutputs(file, { x: { dims, data } }));
  const found = runGraph(graph, { x: data }).y!;
  expect(found.shape).toEqual(expected!.dims);
  expect(normalisedMeanSquareError(found.data, expected!.data)).toBeLessThan(1e-12);
}

const transposeConv = (
  [height, width]: readonly [number, number],
  kernel: readonly [number, number],
  padding: number,
  more: Partial<{ activation: number; size: TensorSpec; weights: Partial<TensorSpec> }> = {},
): ModelSpec => ({
  tensors: [
    { name: 'x', dims: [1, 4, 5, 3] },
    more.size ?? i32('size', [4], 1, height, width, 6),
    { ...f32('w', [6, ...kernel, 3], 1), ...more.weights },
    f32('b', [6], 2),
    { name: 'y', dims: [1, height, width, 6] },
  ],
  operators: [
    {
      op: 'TRANSPOSE_CONV',
      inputs: ['size', 'w', 'x', 'b'],
      output: 'y',
      options: { 0: ['byte', padding], 1: 2, 2: 2, 3: ['byte', more.activation ?? 0] },
    },
  ],
});

describe('TRANSPOSE_CONV', () => {
  it.each([
    ['SAME, even', [8, 10], [3, 3], 0],
    ['SAME, odd', [7, 9], [4, 3], 0],
    ['SAME, 2 × 2', [8, 10], [2, 2], 0],
    ['VALID', [10, 11], [4, 3], 1],
  ] as const)('%s', async (_, size, kernel, padding) => {
    await expectSame(tfliteFile(transposeConv(size, kernel, padding)), [1, 4, 5, 3], ['conv-transpose2d']);
  });
});

/** A tensor cut into blocks, convolved and put together again. */
const spread = (
  block: readonly number[],
  pads: readonly number[],
  crops: readonly number[],
  conv: Partial<OperatorSpec> & { size: readonly number[] },
  more: Partial<Record<'x' | 's' | 'c' | 'y', Partial<TensorSpec>>> = {},
): ModelSpec => {
  const { size, ...operator } = conv;
  const [height, width] = [9 + pads[0]! + pads[1]!, 10 + pads[2]! + pads[3]!].map((d, i) => Math.floor(d / block[i]!));
  return {
    tensors: [
      { name: 'x', dims: [1, 9, 10, 4], ...more.x },
      i32('block', [2], ...block),
      i32('pads', [2, 2], ...pads),
      i32('crops', [2, 2], ...crops),
      f32('w', [1, 3, 3, 4], 3),
      f32('b', [4], 4),
      { name: 's', dims: [block[0]! * block[1]!, height!, width!, 4], ...more.s },
      { name: 'c', dims: [block[0]! * block[1]!, ...size, 4], ...more.c },
      { name: 'y', dims: [1, 9, 10, 4], ...more.y },
    ],
    operators: [
      { op: 'SPACE_TO_BATCH_ND', inputs: ['x', 'block', 'pads'], output: 's' },
      {
        op: 'DEPTHWISE_CONV_2D',
        inputs: ['s', 'w', 'b'],
        output: 'c',
        options: { 0: ['byte', 1], 1: 1, 2: 1, 3: 1, 4: ['byte', 3] },
        ...operator,
      },
      { op: 'BATCH_TO_SPACE_ND', inputs: ['c', 'block', 'crops'], output: 'y' },
    ],
  };
};

describe('SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND', () => {
  it('around a convolution are its dilation', async () => {
    const file = tfliteFile(spread([2, 2], [2, 3, 2, 2], [0, 1, 0, 0], { size: [5, 5] }));
    await expectSame(file, [1, 9, 10, 4], ['conv2d']);
    const { nodes } = await open(file);
    expect(nodes[0]).toMatchObject({
      dilation: [2, 2],
      padding: { top: 2, left: 2, bottom: 2, right: 2 },
      activation: 'relu6',
    });
  });

  it('around one that pads itself, with blocks that are no squares', async () => {
    const options = { 0: ['byte', 0], 1: 1, 2: 1, 3: 1, 4: ['byte', 0] } as const;
    const file = tfliteFile(spread([3, 2], [0, 0, 0, 0], [0, 0, 0, 0], { size: [3, 5], options }));
    await expectSame(file, [1, 9, 10, 4], ['conv2d']);
  });

  it('quantised, with the activation in the range alone', async () => {
    const scale = { scales: [6 / 255], zeroPoints: [-128], type: 'INT8' } as const;
    const own = { scales: [2 / 255], zeroPoints: [0], type: 'INT8' } as const;
    const options = { 0: ['byte', 1], 1: 1, 2: 1, 3: 1, 4: ['byte', 0] } as const;
    const more = { x: own, s: own, c: scale, y: scale };
    const graph = await open(tfliteFile(spread([2, 2], [2, 3, 2, 2], [0, 1, 0, 0], { size: [5, 5], options }, more)));
    expect(graph.nodes.map(({ op }) => op)).toEqual(['conv2d', 'clip']);
    expect(graph.nodes[1]).toMatchObject({ min: 0, max: 6 });
  });
});

/** Scores of three classes for each pixel, and the best. */
const labelled = (axis = 3, more: Partial<ModelSpec> = {}, dims: readonly number[] = [1, 6, 5]): ModelSpec => ({
  tensors: [
    { name: 'x', dims: [1, 6, 5, 4] },
    f32('w', [3, 1, 1, 4], 5),
    f32('b', [3], 6),
    i32('axis', [], axis),
    { name: 'scores', dims: [1, 6, 5, 3] },
    { name: 'y', dims, type: 'INT32' },
  ],
  operators: [
    { op: 'CONV_2D', inputs: ['x', 'w', 'b'], output: 'scores', options: { 0: ['byte', 0], 1: 1, 2: 1 } },
    { op: 'ARG_MAX', inputs: ['scores', 'axis'], output: 'y', options: { 0: ['byte', 2] } },
  ],
  ...more,
});

describe('TILE', () => {
  const tiled = (...times: number[]) =>
    tfliteFile({
      tensors: [
        { name: 'x', dims: [1, 4, 5, 3] },
        i32('axes', [2], 1, 2),
        i32('times', [times.length], ...times),
        { name: 'm', dims: [1, 1, 1, 3] },
        { name: 'y', dims: [1, times[1] ?? 1, times[2] ?? 1, 3] },
      ],
      operators: [
        { op: 'MEAN', inputs: ['x', 'axes'], output: 'm', options: { 0: ['byte', 1] } },
        { op: 'TILE', inputs: ['m', 'times'], output: 'y' },
      ],
    });

  it('repeats pooled features for each pixel', () =>
    expectSame(tiled(1, 6, 7, 1), [1, 4, 5, 3], ['global-average-pool', 'resize']));

  it.each([[[2, 1, 1, 1]], [[1, 2, 2, 3]], [[1, 0, 2, 1]], [[1, -1, 2, 1]], [[1, 2, 2]], [[]]])(
    'is refused with %j',
    async (times) => {
      const error = await cheaply(() => open(tiled(...times)).catch((thrown: unknown) => thrown));
      expect(error).toBeInstanceOf(MobileNetError);
    },
  );
});

describe('a network that ends in a decoding', () => {
  it('ends before ARG_MAX of the classes of pixels', async () => {
    const file = tfliteFile(labelled());
    const graph = await open(file);
    expect(graph.outputs).toEqual([{ name: 'scores', tensor: 'scores' }]);
    expect(graph.decoding).toEqual({
      ...{ kind: 'segmentation', scores: 'scores', size: [6, 5], classes: 3 },
      ...{ corners: 'align', logits: true },
    });
    const data = randomValues(120, 7);
    const [expected] = Object.values(await liteRtOutputs(file, { x: { dims: [1, 6, 5, 4], data } }));
    const { scores } = runGraph(graph, { x: data });
    const best = Array.from({ length: 30 }, (_, i) => {
      const own = [...scores!.data.subarray(3 * i, 3 * i + 3)];
      return own.indexOf(Math.max(...own));
    });
    expect(best).toEqual(Array.from(expected!.data));
  });

  it('is not decoded where ARG_MAX is along another axis, and is refused where a layer follows or an output is asked for', async () => {
    expect((await open(tfliteFile(labelled(1, {}, [1, 5, 3])))).decoding).toBeUndefined();
    const options = { outputs: ['y'] };
    await expect(loadGraph({ name: 'm', bytes: tfliteFile(labelled()) }, options)).rejects.toThrow(/ARG_MAX/);
  });

  const heads = (more: { options?: Record<string, number>; bytes?: Uint8Array } = {}) => {
    const head = (name: string, channels: number) => [
      f32(`${name}/w`, [channels, 1, 1, 4], channels),
      { name, dims: [1, 3, 4, channels] },
    ];
    const conv = (name: string): OperatorSpec => ({
      ...{ op: 'CONV_2D', inputs: ['x', `${name}/w`], output: name },
      options: { 0: ['byte', 0], 1: 16, 2: 16 },
    });
    const names = [
      'float_heatmaps',
      'float_short_offsets',
      'float_mid_offsets',
      'float_segments',
      'float_part_heatmaps',
    ];
    const channels = [17, 34, 64, 1, 24];
    const options = { max_detections: 20, nms_radius: 10, score_threshold: 0.25, stride: 16, ...more.options };
    return tfliteFile({
      tensors: [
        { name: 'x', dims: [1, 33, 49, 4] },
        ...names.flatMap((name, i) => head(name, channels[i]!)),
        ...['poses', 'poses:1', 'poses:2', 'poses:3'].map((name) => ({ name, dims: [] })),
      ],
      operators: [
        ...names.map(conv),
        {
          ...{ op: 'CUSTOM', inputs: names.slice(0, 3), output: 'poses', also: ['poses:1', 'poses:2', 'poses:3'] },
          custom: { code: 'PosenetDecoderOp', options: more.bytes ?? flexOptions(options) },
        },
      ],
      outputs: ['poses', 'poses:1', 'poses:2', 'poses:3', 'float_segments', 'float_part_heatmaps'],
    });
  };

  it('ends at what PosenetDecoderOp reads, with its options', async () => {
    const graph = await open(heads());
    expect(graph.decoding).toEqual({
      ...{ kind: 'posenet', heatmaps: 'float_heatmaps', offsets: 'float_short_offsets' },
      ...{ forward: 'float_mid_offsets', backward: 'float_mid_offsets', size: [3, 4], stride: 16, radius: 10 },
      ...{ maxPoses: 20, minScore: 0.25, minPoseScore: 0.25, people: 'float_segments', parts: 'float_part_heatmaps' },
    });
    expect(graph.outputs.map(({ name }) => name)).toEqual([
      ...['float_segments', 'float_part_heatmaps', 'float_heatmaps', 'float_short_offsets', 'float_mid_offsets'],
    ]);
  });

  /** Twenty and more ways to damage each new operator. */
  const shapes = [
    [[], 1, 2],
    [[0, 0], 0, 2],
    [[3], 1, 0],
    [[-1, 2], 2, 2],
    [[5000, 1], 1, 1],
  ] as const;
  const damaged: Record<string, () => readonly Uint8Array[]> = {
    TRANSPOSE_CONV: () => [
      ...[-1, 0, 1e6].map((size) => tfliteFile(transposeConv([8, size], [3, 3], 0))),
      ...[2, 7, 255].map((padding) => tfliteFile(transposeConv([8, 10], [3, 3], padding))),
      ...[2, 4, 5].map((activation) => tfliteFile(transposeConv([8, 10], [3, 3], 0, { activation }))),
      ...[[6, 3, 3], [6, 3, 3, 2], [5, 3, 3, 3], [6, 0, 3, 3], [6, 5000, 3, 3], [], [6, 3, 3, 3, 1]].map((dims) =>
        tfliteFile(transposeConv([8, 10], [3, 3], 0, { weights: { dims } })),
      ),
      ...[[1], [1, 8], [1, 8, -3, 6], [], [1, 4000, 10, 6]].map((size) =>
        tfliteFile(transposeConv([8, 10], [3, 3], 0, { size: i32('size', [size.length], ...size) })),
      ),
      tfliteFile({
        ...transposeConv([8, 10], [3, 3], 0),
        operators: [{ op: 'TRANSPOSE_CONV', inputs: ['size'], output: 'y' }],
      }),
    ],
    Convolution2DTransposeBias: () => {
      const custom = (options: Uint8Array, weights: readonly number[] = [6, 2, 2, 3], bias = 6) =>
        tfliteFile({
          tensors: [
            { name: 'x', dims: [1, 4, 5, 3] },
            f32('w', weights, 1),
            f32('b', [bias], 2),
            { name: 'y', dims: [] },
          ],
          operators: [
            {
              ...{ op: 'CUSTOM', inputs: ['x', 'w', 'b'], output: 'y' },
              custom: { code: 'Convolution2DTransposeBias', options },
            },
          ],
        });
      const bytes = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);
      return [
        ...[0, 1, 4, 11].map((length) => custom(new Uint8Array(length))),
        ...[-1, 0, 3, 2 ** 30].map((padding) => custom(bytes(padding, 2, 2))),
        ...[-1, 0, 5000, 2 ** 31 - 1].flatMap((stride) => [custom(bytes(1, stride, 2)), custom(bytes(2, 2, stride))]),
        ...[[6, 2, 2], [6, 2, 2, 4], [6, 0, 2, 3], [], [1]].map((dims) => custom(bytes(1, 2, 2), dims)),
        ...[0, 5, 7].map((bias) => custom(bytes(1, 2, 2), undefined, bias)),
      ];
    },
    'SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND': () => {
      const { tensors, operators } = spread([2, 2], [2, 3, 2, 2], [0, 1, 0, 0], { size: [5, 5] });
      const withTensor = (name: string, dims: readonly number[], values: readonly number[]) =>
        tfliteFile({
          tensors: tensors.map((tensor) => (tensor.name === name ? i32(name, dims, ...values) : tensor)),
          operators,
        });
      return [
        ...shapes.map(([values]) => withTensor('block', [values.length], values)),
        ...[
          [7, 2],
          [2, 3],
          [2 ** 31 - 1, 1],
        ].map((values) => withTensor('block', [2], values)),
        ...[[0], [0, 0, 0], [-2, 3, 2, 2], [2, 2, 2, 2], [2, 5000, 2, 2]].map((v) => withTensor('pads', [v.length], v)),
        ...[[0], [], [-1, 1, 0, 0], [3, 0, 0, 0], [0, 0, 0, 9]].map((v) => withTensor('crops', [v.length], v)),
        // What is spread meets something else than one convolution.
        tfliteFile({ tensors, operators: operators.slice(0, 1), outputs: ['s'] }),
        tfliteFile({ tensors, operators: operators.slice(0, 2), outputs: ['c'] }),
        tfliteFile({ tensors, operators: [operators[0]!, { ...operators[2]!, inputs: ['s', 'block', 'crops'] }] }),
        tfliteFile({ tensors, operators: [{ ...operators[2]!, inputs: ['x', 'block', 'crops'] }] }),
        tfliteFile({ tensors, operators: [operators[0]!, { op: 'RELU', inputs: ['s'], output: 'y' }] }),
        tfliteFile({ tensors, operators: [operators[0]!, { op: 'ADD', inputs: ['s', 's'], output: 'y' }] }),
      ];
    },
    PosenetDecoderOp: () => [
      ...['max_detections', 'nms_radius', 'score_threshold', 'stride'].flatMap((name) =>
        [0, -1, 1e9, Number.NaN].map((value) => heads({ options: { [name]: value } })),
      ),
      heads({ options: { stride: 1.5 } }),
      heads({ options: { max_detections: 2.5 } }),
      ...[0, 1, 3, 10, 40].map((length) =>
        heads({ bytes: flexOptions({ stride: 16, nms_radius: 20 }).slice(0, length) }),
      ),
    ],
  };

  it.each(Object.keys(damaged))('damaged, %s: each file ends in a typed error', async (name) => {
    const files = damaged[name]!();
    expect(files.length).toBeGreaterThanOrEqual(20);
    for (const [i, bytes] of files.entries()) {
      const error = await cheaply(() =>
        open(bytes).then(
          () => null,
          (caught: unknown) => caught,
        ),
      );
      expect(error, `file ${i}`).toBeInstanceOf(MobileNetError);
      expect((error as Error).message).toMatch(/^m\.tflite/);
    }
  });

  it('damaged around ARG_MAX, byte by byte: each file loads or ends in a typed error', async () => {
    const sound = tfliteFile(labelled());
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const bytes = sound.slice();
      const at = bytes.length - 1 - 9 * i;
      bytes[at] = bytes[at]! ^ (i % 2 ? 0xff : 0x81);
      const error = await cheaply(() =>
        open(bytes).then(
          () => null,
          (caught: unknown) => caught,
        ),
      );
      if (error !== null) expect(error, `byte ${at}`).toBeInstanceOf(MobileNetError);
      refused += error === null ? 0 : 1;
    }
    expect(refused).toBeGreaterThanOrEqual(20);
    // A layer behind it learnt weights: that is no decoding.
    const { tensors, operators } = labelled();
    const layer: OperatorSpec = {
      op: 'CONV_2D',
      inputs: ['y', 'v'],
      output: 'z',
      options: { 0: ['byte', 0], 1: 1, 2: 1 },
    };
    const file = tfliteFile({
      tensors: [...tensors, f32('v', [2, 1, 1, 1], 8), { name: 'z', dims: [1, 6, 5, 2] }],
      operators: [...operators, layer],
      outputs: ['z'],
    });
    await expect(open(file)).rejects.toThrow(/ARG_MAX.*this engine does not run it/);
  });
});
