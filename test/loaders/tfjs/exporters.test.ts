/** Small graph models with the nodes that exporters write today, against TensorFlow.js. */
import { expect, test } from 'vitest';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runPasses } from '../../../src/passes/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { normalisedMeanSquareError, randomValues, tensorflowOutputs } from '../../support/oracles.ts';
import { type TfjsSpec, type TfjsWeightSpec, writeTfjs } from '../../support/tfjs-writer.ts';

let seed = 1;
const random = (...shape: number[]): TfjsWeightSpec => ({
  shape,
  values: randomValues(
    shape.reduce((a, b) => a * b),
    seed++,
  ),
});
const scalar = (value: number): TfjsWeightSpec => ({ shape: [], values: [value] });
const int32 = (...values: number[]): TfjsWeightSpec => ({ shape: [values.length], dtype: 'int32', values });
const type = { T: { type: 'DT_FLOAT' } } as const;
const window = (stride: number) => ({
  ...type,
  strides: { ints: [1, stride, stride, 1] },
  padding: { s: 'SAME' },
  dilations: { ints: [1, 1, 1, 1] },
  data_format: { s: 'NHWC' },
});
const fused = (stride: number, ...ops: string[]) => ({ ...window(stride), fused_ops: { strings: ops } });

/** The output under both names, and the operations of the graph that runs. */
async function agree(spec: TfjsSpec, input: string, dims: readonly number[], node: string, output: string) {
  const model = writeTfjs(spec);
  const data = randomValues(
    dims.reduce((a, b) => a * b),
    seed++,
  );
  const expected = (await tensorflowOutputs(model.json, model.shard, { [input]: { dims, data } }, [node], 'cpu'))[
    node
  ]!;
  const graph = await loadGraph({ name: 'model.json', bytes: model.bytes, read: async () => model.shard });
  expect(graph.outputs.map(({ name }) => name)).toEqual([output]);
  const prepared = runPasses(graph);
  const found = runGraph(prepared, { [graph.inputs[0]!.name]: data })[output]!;
  expect(normalisedMeanSquareError(found.data, expected.data)).toBeLessThan(1e-10);
  return prepared.nodes.map(({ op }) => op);
}

test('TensorFlow Hub: pixels from 0 to 1 are brought to -1 to 1 in the graph, logits squeezed', async () => {
  const hub = 'module_apply_default';
  const net = `${hub}/MobilenetV2`;
  const spec: TfjsSpec = {
    inputs: { images: { shape: [-1, 9, 9, 3] } },
    weights: {
      [`${hub}/hub_input/Mul/y`]: scalar(2),
      [`${hub}/hub_input/Sub/y`]: scalar(1),
      [`${net}/Conv/weights`]: random(3, 3, 3, 8),
      [`${net}/Conv/bias`]: random(8),
      [`${net}/expanded_conv/depthwise/weights`]: random(3, 3, 8, 1),
      [`${net}/expanded_conv/depthwise/bias`]: random(8),
      [`${net}/Logits/AvgPool/indices`]: int32(1, 2),
      [`${net}/Logits/Conv2d_1c_1x1/weights`]: random(1, 1, 8, 5),
      [`${net}/Logits/Conv2d_1c_1x1/biases`]: random(5),
    },
    nodes: [
      { name: `${hub}/hub_input/Mul`, op: 'Mul', input: ['images', `${hub}/hub_input/Mul/y`], attr: type },
      {
        name: `${hub}/hub_input/Sub`,
        op: 'Sub',
        input: [`${hub}/hub_input/Mul`, `${hub}/hub_input/Sub/y`],
        attr: type,
      },
      {
        name: `${net}/Conv/Relu6`,
        op: '_FusedConv2D',
        input: [`${hub}/hub_input/Sub`, `${net}/Conv/weights`, `${net}/Conv/bias`],
        attr: { ...fused(2, 'BiasAdd', 'Relu6'), num_args: { i: 1 } },
      },
      {
        name: `${net}/expanded_conv/depthwise/Relu6`,
        op: 'FusedDepthwiseConv2dNative',
        input: [`${net}/Conv/Relu6`, `${net}/expanded_conv/depthwise/weights`, `${net}/expanded_conv/depthwise/bias`],
        attr: { ...fused(1, 'BiasAdd', 'Relu6'), num_args: { i: 1 } },
      },
      {
        name: `${net}/Logits/AvgPool`,
        op: 'Mean',
        input: [`${net}/expanded_conv/depthwise/Relu6`, `${net}/Logits/AvgPool/indices`],
        attr: { ...type, keep_dims: { b: true } },
      },
      {
        name: `${net}/Logits/Conv2d_1c_1x1/BiasAdd`,
        op: '_FusedConv2D',
        input: [`${net}/Logits/AvgPool`, `${net}/Logits/Conv2d_1c_1x1/weights`, `${net}/Logits/Conv2d_1c_1x1/biases`],
        attr: { ...fused(1, 'BiasAdd'), num_args: { i: 1 } },
      },
      {
        name: `${net}/Logits/Squeeze`,
        op: 'Squeeze',
        input: [`${net}/Logits/Conv2d_1c_1x1/BiasAdd`],
        attr: { ...type, squeeze_dims: { ints: [1, 2] } },
      },
      { name: `${net}/Logits/output`, op: 'Identity', input: [`${net}/Logits/Squeeze`], attr: type },
    ],
  };
  const output = `${net}/Logits/output`;
  expect(await agree(spec, 'images', [1, 9, 9, 3], output, output)).toEqual([
    ...['affine', 'conv2d', 'conv2d', 'global-average-pool', 'conv2d'],
  ]);
});

test('Keras 3, exported as a SavedModel: a flattening that asks for the batch, an output of the signature', async () => {
  const net = 'StatefulPartitionedCall/functional_1';
  const spec: TfjsSpec = {
    inputs: { keras_tensor: { shape: [-1, 9, 9, 3] } },
    signature: {
      inputs: { keras_tensor: { name: 'keras_tensor:0', dtype: 'DT_FLOAT' } },
      outputs: { output_0: { name: 'Identity:0', dtype: 'DT_FLOAT' } },
    },
    weights: {
      [`${net}/conv1_1/kernel`]: random(3, 3, 3, 4),
      [`${net}/conv1_1/bias`]: random(4),
      [`${net}/flatten_1/from`]: int32(0),
      [`${net}/flatten_1/to`]: int32(1),
      [`${net}/flatten_1/features`]: { shape: [], dtype: 'int32', values: [100] },
      [`${net}/dense_1/kernel`]: random(100, 5),
      [`${net}/dense_1/bias`]: random(5),
    },
    nodes: [
      {
        name: `${net}/conv1_relu_1/Relu6`,
        op: '_FusedConv2D',
        input: ['keras_tensor', `${net}/conv1_1/kernel`, `${net}/conv1_1/bias`],
        attr: { ...fused(2, 'BiasAdd', 'Relu6'), num_args: { i: 1 } },
      },
      {
        name: `${net}/flatten_1/Shape`,
        op: 'Shape',
        input: [`${net}/conv1_relu_1/Relu6`],
        attr: { ...type, out_type: { type: 'DT_INT32' } },
      },
      {
        name: `${net}/flatten_1/strided_slice`,
        op: 'StridedSlice',
        input: ['Shape', 'from', 'to', 'to'].map((name) => `${net}/flatten_1/${name}`),
        attr: { shrink_axis_mask: { i: 1 }, T: { type: 'DT_INT32' }, Index: { type: 'DT_INT32' } },
      },
      {
        name: `${net}/flatten_1/Reshape/shape`,
        op: 'Pack',
        input: [`${net}/flatten_1/strided_slice`, `${net}/flatten_1/features`],
        attr: { N: { i: 2 }, axis: { i: 0 }, T: { type: 'DT_INT32' } },
      },
      {
        name: `${net}/flatten_1/Reshape`,
        op: 'Reshape',
        input: [`${net}/conv1_relu_1/Relu6`, `${net}/flatten_1/Reshape/shape`],
        attr: type,
      },
      {
        name: `${net}/dense_1/BiasAdd`,
        op: '_FusedMatMul',
        input: [`${net}/flatten_1/Reshape`, `${net}/dense_1/kernel`, `${net}/dense_1/bias`],
        attr: {
          ...type,
          ...{ transpose_a: { b: false }, transpose_b: { b: false } },
          fused_ops: { strings: ['BiasAdd'] },
          num_args: { i: 1 },
        },
      },
      { name: `${net}/dense_1/Softmax`, op: 'Softmax', input: [`${net}/dense_1/BiasAdd`], attr: type },
      { name: 'Identity', op: 'Identity', input: [`${net}/dense_1/Softmax`], attr: type },
    ],
  };
  expect(await agree(spec, 'keras_tensor', [1, 9, 9, 3], 'Identity', 'output_0')).toEqual([
    ...['conv2d', 'fully-connected', 'softmax'],
  ]);
});
