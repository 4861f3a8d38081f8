/** DeepLab V3 on MobileNetV2 as tfjs-models have it, small: real names, cut before ArgMax. */
import { expect, it } from 'vitest';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { segment } from '../../../src/tasks/index.ts';
import { normalisedMeanSquareError, randomValues, tensorflowOutputs } from '../../support/oracles.ts';
import { paintedScene } from '../../support/painted-scene.ts';
import { type TfjsNodeSpec, type TfjsWeightSpec, writeTfjs } from '../../support/tfjs-writer.ts';

const [size, classes] = [33, 21];
const scope = 'MobilenetV2/expanded_conv_16';
const logits = 'ResizeBilinear_3';

/** A stem, a dilated inverted residual, the pooled and the plain branch of ASPP, logits, and what makes a mask of them. */
function network() {
  let seed = 1;
  const weights: Record<string, TfjsWeightSpec> = {};
  const nodes: TfjsNodeSpec[] = [];
  const float = { T: { type: 'DT_FLOAT' } };
  const int32 = (name: string, ...values: number[]) => {
    weights[name] = {
      shape: values.length === 1 ? [] : [values.length],
      dtype: 'int32',
      values: Int32Array.from(values),
    };
    return name;
  };
  const node = (name: string, op: string, input: readonly string[], attr: TfjsNodeSpec['attr'] = float) => {
    nodes.push({ name, op, input: [...input], attr });
    return name;
  };
  const conv = (name: string, input: string, shape: readonly number[], stride = 1, dilation = 1) => {
    const depthwise = name.endsWith('/depthwise');
    const count = shape.reduce((a, b) => a * b, 1);
    const spread = Math.sqrt(6 / (depthwise ? 9 : count / shape[3]!));
    const width = depthwise ? shape[2]! : shape[3]!;
    weights[`${name}/weights`] = { shape, values: randomValues(count, seed++, -spread, spread) };
    weights[`${name}/biases`] = { shape: [width], values: randomValues(width, seed++, -0.2, 0.2) };
    const op = depthwise ? 'DepthwiseConv2dNative' : 'Conv2D';
    const strides = { ints: [1, stride, stride, 1] };
    const dilations = { ints: [1, dilation, dilation, 1] };
    const layout = { padding: { s: 'SAME' }, data_format: { s: 'NHWC' } };
    node(`${name}/conv`, op, [input, `${name}/weights`], { ...float, strides, dilations, ...layout });
    return node(`${name}/BiasAdd`, 'BiasAdd', [`${name}/conv`, `${name}/biases`], { ...float, ...layout });
  };
  const relu6 = (input: string) => node(`${input}/Relu6`, 'Relu6', [input]);
  const resize = (name: string, input: string, to: number) => {
    const corners = { align_corners: { b: true }, half_pixel_centers: { b: false } };
    return node(name, 'ResizeBilinear', [input, int32(`${name}/size`, to, to)], { ...float, ...corners });
  };
  const stem = relu6(conv('MobilenetV2/Conv/Conv2D', 'sub_7', [3, 3, 3, 8], 2));
  const down = relu6(conv('MobilenetV2/Conv_1/Conv2D', stem, [3, 3, 8, 12], 2));
  const expanded = relu6(conv(`${scope}/expand`, down, [1, 1, 12, 24]));
  const depthwise = relu6(conv(`${scope}/depthwise`, expanded, [3, 3, 24, 1], 1, 2));
  const projected = conv(`${scope}/project`, depthwise, [1, 1, 24, 12]);
  const features = node(`${scope}/add`, 'AddV2', [projected, down]);
  const grid = Math.ceil(size / 4);
  const pooled = node('AvgPool2D/AvgPool', 'AvgPool', [features], {
    ...float,
    ksize: { ints: [1, grid, grid, 1] },
    strides: { ints: [1, grid, grid, 1] },
    padding: { s: 'VALID' },
    data_format: { s: 'NHWC' },
  });
  const image = resize(
    'ResizeBilinear',
    node('image_pooling/Relu', 'Relu', [conv('image_pooling', pooled, [1, 1, 12, 8])]),
    grid,
  );
  const aspp = node('aspp0/Relu', 'Relu', [conv('aspp0', features, [1, 1, 12, 8])]);
  const joined = node('concat', 'ConcatV2', [image, aspp, int32('concat/axis', 3)], { ...float, N: { i: 2 } });
  const head = node('concat_projection/Relu', 'Relu', [conv('concat_projection', joined, [1, 1, 16, 12])]);
  resize(logits, conv('logits/semantic', head, [1, 1, 12, classes]), size);
  const types = { T: { type: 'DT_FLOAT' }, Tidx: { type: 'DT_INT32' }, output_type: { type: 'DT_INT64' } };
  node('ArgMax', 'ArgMax', [logits, int32('ArgMax/dimension', 3)], types);
  node('SemanticPredictions', 'Cast', ['ArgMax'], { SrcT: { type: 'DT_INT64' }, DstT: { type: 'DT_INT32' } });
  return writeTfjs({ inputs: { sub_7: { shape: [1, size, size, 3] } }, nodes, weights });
}

it('scores are those of TensorFlow.js, the mask is its ArgMax', async () => {
  const { json, bytes, shard } = network();
  const dims = [1, size, size, 3];
  const graph = await loadGraph({ name: 'model.json', bytes, read: async () => shard });
  const data = paintedScene([size, size, 3], 5, [-1, 1]);
  const outputs = [logits, 'SemanticPredictions'];
  const expected = await tensorflowOutputs(json, shard, { sub_7: { dims, data } }, outputs, 'cpu');
  const found = runGraph(graph, { sub_7: data });
  expect(Object.keys(found)).toEqual([logits]);
  expect(normalisedMeanSquareError(found[logits]!.data, expected[logits]!.data)).toBeLessThan(1e-12);
  const scores = Float32Array.from(found[logits]!.data);
  const image = { scale: [1 / 127.5], offset: [-1] };
  const task = { graph, runPicture: async () => ({ [logits]: scores }) };
  const { mask } = await segment(
    task,
    { data: new Uint8ClampedArray(size * size * 4), width: size, height: size },
    { image },
  );
  expect(Array.from(mask)).toEqual(Array.from(expected.SemanticPredictions!.data));
  expect(new Set(mask).size).toBeGreaterThan(1);
});
