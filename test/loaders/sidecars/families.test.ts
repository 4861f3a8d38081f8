/** Picture rules of families that names in a file tell. */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../src/graph/graph.ts';
import { presets } from '../../../src/graph/image-presets.ts';
import { plainImage } from '../../../src/graph/image-rule.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { withFamily } from '../../../src/loaders/sidecars/families.ts';
import { withMetadataProps, writeOnnx } from '../../support/onnx-writer.ts';
import { writeTfjs } from '../../support/tfjs-writer.ts';

const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => (i % 7) / 7);

/** A convolution and a mean, of these names; `scale`: pixels are divided before. */
const onnx = (conv: string, weight: string, scale = false) =>
  writeOnnx({
    inputs: [{ name: 'x', dims: [1, 3, 8, 8] }],
    outputs: [{ name: 'y', dims: [1, 4, 1, 1] }],
    nodes: [
      ...(scale ? [{ op: 'Mul', name: 'scale', inputs: ['x', 'factor'], outputs: ['scaled'] }] : []),
      { op: 'Conv', name: conv, inputs: [scale ? 'scaled' : 'x', weight], outputs: ['c'] },
      { op: 'GlobalAveragePool', name: 'mean', inputs: ['c'], outputs: ['y'] },
    ],
    initializers: {
      [weight]: { dims: [4, 3, 1, 1], values: numbers(12) },
      ...(scale ? { factor: { dims: [1], values: [0.5] } } : {}),
    },
  });

const of = (file: Uint8Array, beside?: string[]): Promise<Graph> =>
  loadGraph({
    name: 'model.onnx',
    bytes: file,
    ...(beside ? { beside, read: async () => Uint8Array.of(0x7b, 0x7d) } : {}),
  });

describe('ONNX files', () => {
  it.each([
    ['torchvision', '/features/features.1/conv/conv.0/conv.0.0/Conv', 'onnx::Conv_417', 'torchvision'],
    ['torchvision', 'Conv_0', 'features.1.block.0.0.weight', 'torchvision'],
    ['timm', '/blocks/blocks.0/blocks.0.0/conv_dw/Conv', 'onnx::Conv_2', 'timm'],
    ['timm', 'Conv_0', 'blocks.0.0.dw_start.conv.weight', 'timm'],
    ['GluonCV', 'mobilenetv20_features_conv0_fwd', 'mobilenetv20_features_conv0_weight', 'torchvision'],
    ['keras.applications', 'StatefulPartitionedCall/mobilenetv2_1.00_224/Conv1/Conv2D', 'w', 'keras'],
    ['TF-Slim', 'MobilenetV1/MobilenetV1/Conv2d_0/Conv2D', 'w', 'keras'],
    ['TensorFlow Hub', 'module_apply_default/MobilenetV2/Conv/Conv2D', 'w', 'zeroToOne'],
  ] as const)('of %s, by "%s" or "%s"', async (family, conv, weight, preset) => {
    const { image, assumptions } = await of(onnx(conv, weight));
    expect(image).toEqual({ ...plainImage, ...presets[preset] });
    expect(assumptions).toEqual([
      `pictures become the input as for ${family}, whose names the file has (image: '${preset}'): it does not say how`,
    ]);
  });

  it.each([
    ['of no family', onnx('Conv_0', 'features.weight')],
    ['of names that begin alike', onnx('/my_features.10/conv/Conv', 'blocks.0.01.conv')],
    ['that scale pixels in a way of their own', onnx('/blocks/blocks.0/blocks.0.0/conv/Conv', 'w', true)],
  ])('%s have no rule', async (_, file) => {
    const { image, assumptions } = await of(file);
    expect([image, assumptions]).toEqual([undefined, undefined]);
  });

  it('keep what their metadata say, and what a file beside them may say', async () => {
    const file = onnx('/features/features.1/conv/conv.0/conv.0.0/Conv', 'w');
    const stated = await of(withMetadataProps(file, { image: 'fit=stretch,mean=0,std=1' }));
    expect([stated.image!.fit, stated.assumptions]).toEqual(['stretch', undefined]);
    expect((await of(file, ['preprocessor_config.json'])).image).toBeUndefined();
    expect((await of(file, ['readme.txt'])).image).toBeDefined();
  });
});

describe('TensorFlow.js files', () => {
  const type = { T: { type: 'DT_FLOAT' } } as const;
  const graph = async (scope: string, scale: boolean) => {
    const conv = `${scope}/Conv/Conv2D`;
    const { bytes, shard } = writeTfjs({
      inputs: { x: { shape: [-1, 8, 8, 3] } },
      weights: {
        w: { shape: [1, 1, 3, 4], values: numbers(12) },
        s: { shape: [], values: [2] },
        axes: { shape: [2], dtype: 'int32', values: [1, 2] },
      },
      nodes: [
        ...(scale ? [{ name: 'scaled', op: 'Mul', input: ['x', 's'], attr: type }] : []),
        {
          ...{ name: conv, op: 'Conv2D', input: [scale ? 'scaled' : 'x', 'w'] },
          attr: {
            ...type,
            strides: { ints: [1, 1, 1, 1] },
            dilations: { ints: [1, 1, 1, 1] },
            padding: { s: 'SAME' },
            data_format: { s: 'NHWC' },
          },
        },
        { name: 'mean', op: 'Mean', input: [conv, 'axes'], attr: { ...type, keep_dims: { b: true } } },
      ],
    });
    return loadGraph({ name: 'model.json', bytes, read: async () => shard });
  };

  it.each([
    ['module_apply_default/MobilenetV2', false, presets.zeroToOne],
    ['module_apply_default/MobilenetV2', true, presets.zeroToOne],
    ['StatefulPartitionedCall/mobilenetv2_0.35_96', false, presets.keras],
    ['StatefulPartitionedCall/MobilenetV3small', true, {}],
    ['MobilenetV2', false, presets.keras],
  ])('of the scope %s, scaling by themselves %s', async (scope, scale, rule) => {
    const { image, assumptions } = await graph(scope, scale);
    expect(image).toEqual({ ...plainImage, ...rule });
    expect(assumptions!.length).toBe(1);
  });

  it('of a scope that scales in a way of its own, or says nothing, have no rule', async () => {
    expect((await graph('MobilenetV2', true)).image).toBeUndefined();
    expect((await graph('model', false)).image).toBeUndefined();
  });

  it.each([
    ['mobilenet_1.00_224', false, presets.keras],
    ['MobilenetV3large', true, {}],
    ['model_1', false, null],
  ])('of layers in the model %s', async (name, scale, rule) => {
    const layer = (class_name: string, own: string, config: object = {}) => ({
      class_name,
      config: { name: own, ...config },
    });
    const shape = { batch_input_shape: [null, 8, 8, 3] };
    const layers = [
      layer('InputLayer', 'x', shape),
      ...(scale ? [layer('Rescaling', 'rescaling', { scale: 1 / 127.5, offset: -1 })] : []),
      layer('Conv2D', 'c', { filters: 4, kernel_size: [1, 1], use_bias: false }),
      layer('GlobalAveragePooling2D', 'p'),
    ];
    const json = {
      modelTopology: { model_config: { class_name: 'Sequential', config: { name, layers } } },
      weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'c/kernel', shape: [1, 1, 3, 4], dtype: 'float32' }] }],
    };
    const bytes = new TextEncoder().encode(JSON.stringify(json));
    const { image } = await loadGraph({
      name: 'model.json',
      bytes,
      read: async () => new Uint8Array(numbers(12).buffer),
    });
    expect(image).toEqual(rule ? { ...plainImage, ...rule } : undefined);
  });
});

it('is not for networks that are no classifiers of pictures of three colours', () => {
  const graph: Graph = {
    name: 'm',
    inputs: [{ name: 'x', shape: [1, 8, 8, 1] }],
    outputs: [{ name: 'x', tensor: 'x' }],
    nodes: [],
  };
  expect(withFamily({ name: 'm', bytes: new Uint8Array() }, graph, ['mobilenet_1.00_224'])).toBe(graph);
});
