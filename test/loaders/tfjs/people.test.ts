/** PoseNet and BodyPix on MobileNetV1 as tfjs-models have them, small: real names, an input of open size. */
import { expect, it } from 'vitest';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { decodePoses } from '../../../src/tasks/index.ts';
import { normalisedMeanSquareError, randomValues, tensorflowOutputs } from '../../support/oracles.ts';
import { posesOfHeads } from '../../support/posenet-reference.ts';
import { type TfjsNodeSpec, type TfjsWeightSpec, writeTfjs } from '../../support/tfjs-writer.ts';

const posenet = {
  'MobilenetV1/offset_2/BiasAdd': 34,
  'MobilenetV1/heatmap_2/BiasAdd': 17,
  'MobilenetV1/displacement_fwd_2/BiasAdd': 32,
  'MobilenetV1/displacement_bwd_2/BiasAdd': 32,
};
const bodypix = {
  ...{
    float_short_offsets: 34,
    float_segments: 1,
    float_part_heatmaps: 24,
    float_long_offsets: 34,
    float_heatmaps: 17,
  },
  ...{
    'MobilenetV1/displacement_fwd_2/BiasAdd': 32,
    'MobilenetV1/displacement_bwd_2/BiasAdd': 32,
    float_part_offsets: 48,
  },
};

let seed = 1;
const random = (shape: readonly number[], spread: number): TfjsWeightSpec => ({
  shape,
  values: randomValues(
    shape.reduce((a, b) => a * b, 1),
    seed++,
    -spread,
    spread,
  ),
});

/** Four convolutions at stride 2, a depthwise one with dilation, and a head of one kernel for each output. */
function networkOf(heads: Readonly<Record<string, number>>) {
  const weights: Record<string, TfjsWeightSpec> = {};
  const nodes: TfjsNodeSpec[] = [];
  const conv = (name: string, op: string, input: string, shape: readonly number[], stride = 1, dilation = 1) => {
    weights[`${name}/weights`] = random(
      shape,
      op === 'Conv2D' ? Math.sqrt(6 / (shape[0]! * shape[1]! * shape[2]!)) : 0.6,
    );
    nodes.push({
      ...{ name, op, input: [input, `${name}/weights`] },
      attr: {
        T: { type: 'DT_FLOAT' },
        strides: { ints: [1, stride, stride, 1] },
        dilations: { ints: [1, dilation, dilation, 1] },
        padding: { s: 'SAME' },
        data_format: { s: 'NHWC' },
      },
    });
  };
  let [from, channels] = ['sub_2', 3];
  for (const [i, width] of [8, 12, 16, 24].entries()) {
    conv(`MobilenetV1/Conv2d_${i}`, 'Conv2D', from, [3, 3, channels, width], 2);
    nodes.push({
      name: `relu${i}`,
      op: 'Relu6',
      input: [`MobilenetV1/Conv2d_${i}`],
      attr: { T: { type: 'DT_FLOAT' } },
    });
    [from, channels] = [`relu${i}`, width];
  }
  conv('MobilenetV1/Conv2d_12_depthwise', 'DepthwiseConv2dNative', from, [3, 3, channels, 1], 1, 2);
  for (const [name, width] of Object.entries(heads)) {
    conv(`${name}/conv`, 'Conv2D', 'MobilenetV1/Conv2d_12_depthwise', [1, 1, channels, width]);
    weights[`${name}/biases`] = random([width], 0.5);
    nodes.push({
      ...{ name, op: 'BiasAdd', input: [`${name}/conv`, `${name}/biases`] },
      attr: { T: { type: 'DT_FLOAT' }, data_format: { s: 'NHWC' } },
    });
  }
  return writeTfjs({ inputs: { sub_2: { shape: [1, -1, -1, 3] } }, nodes, weights });
}

it.each([
  ['PoseNet', posenet, null],
  ['BodyPix', bodypix, { people: 'float_segments', parts: 'float_part_heatmaps' }],
] as const)('%s: heads are those of TensorFlow.js, poses those of the definition', async (_, heads, segments) => {
  const { json, bytes, shard } = networkOf(heads);
  const dims = [1, 65, 113, 3];
  const options = { inputShapes: { sub_2: dims } };
  const graph = await loadGraph({ name: 'model.json', bytes, read: async () => shard }, options);
  const data = randomValues(65 * 113 * 3, 5, -1, 1);
  const expected = await tensorflowOutputs(json, shard, { sub_2: { dims, data } }, Object.keys(heads), 'cpu');
  const found = runGraph(graph, { sub_2: data });
  for (const name of Object.keys(heads)) {
    expect(normalisedMeanSquareError(found[name]!.data, expected[name]!.data), name).toBeLessThan(1e-12);
  }
  expect(graph.image).toMatchObject({ fit: 'letterbox', scale: [1 / 127.5], offset: [-1] });
  const { decoding } = graph;
  if (decoding?.kind !== 'posenet') throw new Error(`the decoding is ${decoding?.kind}`);
  expect(decoding).toMatchObject({
    ...{ size: [5, 8], stride: 16, maxPoses: 5, minScore: 0.5, minPoseScore: 0, radius: 20 },
    ...(segments ?? { people: null, parts: null }),
  });
  const tensors = {
    heatmaps: found[decoding.heatmaps]!.data,
    offsets: found[decoding.offsets]!.data,
    forward: found[decoding.forward]!.data,
    backward: found[decoding.backward]!.data,
  };
  const { minScore, ...rest } = { ...decoding, minScore: 0.3 };
  const poses = decodePoses(tensors, { ...rest, minScore });
  const reference = posesOfHeads(tensors, decoding.size, 16, { ...rest, minScore });
  expect(poses.length).toBe(reference.length);
  expect(poses.length).toBeGreaterThan(0);
  for (const [i, { score, keypoints }] of poses.entries()) {
    expect(score).toBeCloseTo(reference[i]!.score, 6);
    for (const [k, { y, x }] of keypoints.entries()) {
      expect(y * 65 - 0.5).toBeCloseTo(reference[i]!.keypoints[k]!.y, 3);
      expect(x * 113 - 0.5).toBeCloseTo(reference[i]!.keypoints[k]!.x, 3);
    }
  }
});
