/** Layers models against TensorFlow.js's own layers API. */
import type * as Tf from '@tensorflow/tfjs-core';
import type * as Layers from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { type LoadGraphOptions, loadGraph } from '../../../src/loaders/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { normalisedMeanSquareError, randomValues, toNhwc } from '../../support/oracles.ts';
import {
  filesOf,
  modelFolder,
  predict,
  randomiseWeights,
  type SavedModel,
  saveModel,
  tensorflowLayers,
} from '../../support/tfjs-layers.ts';

type Api = typeof Layers;
type Build = (api: Api, tf: typeof Tf) => Layers.LayersModel;
type Symbolic = Layers.SymbolicTensor;

const { tf, layers: api } = await tensorflowLayers();

const apply = (layer: { apply: (inputs: Symbolic | Symbolic[]) => unknown }, ...inputs: Symbolic[]) =>
  layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as Symbolic;

/** `layout`: how the file sees its images; the graph's are NHWC. */
type CheckOptions = LoadGraphOptions & { readonly layout?: 'nhwc' | 'nchw' };

async function compare(
  saved: SavedModel,
  model: Layers.LayersModel,
  { layout = 'nhwc', ...options }: CheckOptions = {},
  range: readonly [number, number] = [-1, 1],
) {
  const graph = await loadGraph(filesOf(modelFolder(saved, {}, 'group1-shard1of1.bin')), options);
  const feeds = graph.inputs.map(({ name, shape }, i) => {
    const [n, h, w, c] = shape;
    const open = layout === 'nchw' ? [n, c, h, w] : shape;
    const dims = model.inputs[i]!.shape.map((d, axis) => d ?? open[axis]!);
    return {
      name,
      dims,
      data: randomValues(
        dims.reduce((a, b) => a * b, 1),
        90 + i,
        ...range,
      ),
    };
  });
  const expected = predict(tf, model, feeds);
  const found = runGraph(
    graph,
    Object.fromEntries(feeds.map(({ name, dims, data }) => [name, layout === 'nchw' ? toNhwc(dims, data) : data])),
  );
  expect(graph.outputs).toHaveLength(expected.length);
  graph.outputs.forEach(({ name }, i) => {
    const error = normalisedMeanSquareError(found[name]!.data, expected[i]!.data);
    expect(error, name).toBeLessThan(1e-10);
    expect(expected[i]!.data.some((v) => v !== expected[i]!.data[0])).toBe(true);
  });
  return graph;
}

async function check(build: Build, options?: CheckOptions, range?: readonly [number, number]) {
  const model = build(api, tf);
  randomiseWeights(tf, model, 7);
  const saved = await saveModel(tf, model);
  try {
    return { graph: await compare(saved, model, options, range), saved };
  } finally {
    model.dispose();
  }
}

/** As tf.keras.applications.mobilenet has it: padded by a layer, then without padding. */
const mobileNetV1: Build = ({ layers, sequential }) => {
  const list: Layers.layers.Layer[] = [
    layers.zeroPadding2d({
      inputShape: [64, 64, 3],
      padding: [
        [0, 1],
        [0, 1],
      ],
      name: 'conv1_pad',
    }),
    layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, padding: 'valid', useBias: false, name: 'conv1' }),
    layers.batchNormalization({ name: 'conv1_bn' }),
    layers.reLU({ maxValue: 6, name: 'conv1_relu' }),
  ];
  [16, 32, 32, 64, 64, 128].forEach((filters, i) => {
    const strides = i % 2 === 1 ? 2 : 1;
    if (strides === 2)
      list.push(
        layers.zeroPadding2d({
          padding: [
            [0, 1],
            [0, 1],
          ],
        }),
      );
    const padding = strides === 2 ? 'valid' : 'same';
    list.push(
      layers.depthwiseConv2d({ kernelSize: 3, strides, padding, useBias: false, name: `conv_dw_${i}` }),
      layers.batchNormalization({ name: `conv_dw_${i}_bn` }),
      layers.reLU({ maxValue: 6 }),
      layers.conv2d({ filters, kernelSize: 1, padding: 'same', useBias: false, name: `conv_pw_${i}` }),
      layers.batchNormalization({ name: `conv_pw_${i}_bn` }),
      layers.reLU({ maxValue: 6 }),
    );
  });
  list.push(
    layers.globalAveragePooling2d({ name: 'pool' }),
    layers.reshape({ targetShape: [1, 1, 128], name: 'reshape_1' }),
    layers.dropout({ rate: 0.001, name: 'dropout' }),
    layers.conv2d({ filters: 10, kernelSize: 1, padding: 'same', name: 'conv_preds' }),
    layers.reshape({ targetShape: [10], name: 'reshape_2' }),
    layers.activation({ activation: 'softmax', name: 'act_softmax' }),
  );
  return sequential({ layers: list }) as unknown as Layers.LayersModel;
};

function mobileNetV2Features({ layers, input, model }: Api): Layers.LayersModel {
  const image = input({ shape: [64, 64, 3], name: 'input_1' });
  const unit = (x: Symbolic, layer: Layers.layers.Layer, name: string, relu = true): Symbolic => {
    const normal = apply(layers.batchNormalization({ epsilon: 1e-3, name: `${name}_BN` }), apply(layer, x));
    return relu ? apply(layers.reLU({ maxValue: 6, name: `${name}_relu` }), normal) : normal;
  };
  const conv = (filters: number, kernelSize: number, strides: number, name: string) =>
    layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false, name });
  let x = unit(image, conv(8, 3, 2, 'Conv1'), 'Conv1');
  let channels = 8;
  [
    [8, 1],
    [12, 2],
    [12, 1],
    [16, 2],
    [16, 1],
  ].forEach(([filters, strides], i) => {
    const wide = unit(x, conv(channels * 6, 1, 1, `block_${i}_expand`), `block_${i}_expand`);
    const depthwise = layers.depthwiseConv2d({
      kernelSize: 3,
      strides: strides!,
      padding: 'same',
      useBias: false,
      name: `block_${i}_depthwise`,
    });
    const filtered = unit(wide, depthwise, `block_${i}_depthwise`);
    const narrow = unit(filtered, conv(filters!, 1, 1, `block_${i}_project`), `block_${i}_project`, false);
    x = strides === 1 && channels === filters ? apply(layers.add({ name: `block_${i}_add` }), x, narrow) : narrow;
    channels = filters!;
  });
  x = unit(x, conv(64, 1, 1, 'Conv_1'), 'out');
  return model({ inputs: image, outputs: x, name: 'mobilenetv2_0.25_64' });
}

/** A feature extractor and a head, nested as Teachable Machine exports them. */
const teachableMachine: Build = (all) => {
  const { layers, sequential } = all;
  const features = sequential();
  features.add(mobileNetV2Features(all) as unknown as Layers.layers.Layer);
  features.add(layers.globalAveragePooling2d({}));
  const head = sequential({
    layers: [
      layers.dense({ inputShape: [64], units: 20, activation: 'relu' }),
      layers.dense({ units: 3, activation: 'softmax', useBias: false }),
    ],
  });
  const whole = sequential();
  whole.add(features as unknown as Layers.layers.Layer);
  whole.add(head as unknown as Layers.layers.Layer);
  return whole as unknown as Layers.LayersModel;
};

describe('whole networks', () => {
  it('MobileNetV1, sequential', async () => {
    const { graph } = await check(mobileNetV1);
    expect(graph.inputs).toEqual([{ name: 'conv1_pad_input', shape: [1, 64, 64, 3] }]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['act_softmax']);
  });

  it('MobileNetV2, functional', async () => {
    const { graph } = await check(mobileNetV2Features);
    expect(graph.inputs).toEqual([{ name: 'input_1', shape: [1, 64, 64, 3] }]);
    expect(graph.nodes.filter(({ op }) => op === 'add')).toHaveLength(3);
  });

  it('nested as by Teachable Machine', async () => {
    const { graph } = await check(teachableMachine);
    expect(graph.inputs).toEqual([{ name: 'input_1', shape: [1, 64, 64, 3] }]);
    expect(graph.nodes.at(-1)).toMatchObject({ op: 'softmax' });
  });
});

describe('the same network in other words', () => {
  /** Keras 3's way to write what Keras 2 and TensorFlow.js write. */
  function toKeras3(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(toKeras3);
    if (typeof value !== 'object' || value === null) return value;
    const record = Object.entries(value).map(([key, inner]): [string, unknown] => {
      if (key === 'class_name' && inner === 'Model') return [key, 'Functional'];
      if (key === 'batch_input_shape') return ['batch_shape', inner];
      if (key === 'activation') return [key, { module: 'builtins', class_name: 'function', config: inner }];
      if (key === 'dtype') return [key, { class_name: 'DTypePolicy', config: { name: 'float32' } }];
      if (key === 'inbound_nodes') return [key, (inner as unknown[][]).map(keras3Node)];
      if (key === 'output_layers' || key === 'input_layers') return [key, (inner as unknown[])[0]];
      return [key, toKeras3(inner)];
    });
    return { module: 'keras.layers', ...Object.fromEntries(record) };
  }
  const keras3Node = (references: unknown[]) => {
    const tensors = references.map((reference) => ({
      class_name: '__keras_tensor__',
      config: { shape: [null], dtype: 'float32', keras_history: (reference as unknown[]).slice(0, 3) },
    }));
    return { args: tensors.length > 1 ? [tensors] : tensors, kwargs: {} };
  };

  it('Keras 3, and model_config around it', async () => {
    const model = mobileNetV2Features(api);
    randomiseWeights(tf, model, 3);
    const saved = await saveModel(tf, model);
    const config = toKeras3({ class_name: saved.topology.class_name, config: saved.topology.config });
    const topology = { keras_version: '3.4.1', backend: 'tensorflow', model_config: config };
    await compare({ ...saved, topology }, model);
  });

  it('weights under the names of the models around their layers, and with :0', async () => {
    const model = teachableMachine(api, tf);
    randomiseWeights(tf, model, 3);
    const saved = await saveModel(tf, model);
    const specifications = saved.specifications.map((weight) => {
      const { name } = weight as { name: string };
      return { ...weight, name: name.startsWith('dense') ? `${name}:0` : `mobilenetv2_0.25_64/${name}` };
    });
    await compare({ ...saved, specifications }, model);
  });

  it('a Sequential whose config is a list', async () => {
    const model = mobileNetV1(api, tf);
    randomiseWeights(tf, model, 3);
    const saved = await saveModel(tf, model);
    const { layers } = saved.topology.config as { layers: unknown };
    await compare({ ...saved, topology: { class_name: 'Sequential', config: layers } as never }, model);
  });
});

describe('layers', () => {
  const functional =
    (shape: number[], body: (x: Symbolic, layers: Api['layers']) => Symbolic | Symbolic[]): Build =>
    ({ input, layers, model }) => {
      const x = input({ shape, name: 'x' });
      return model({ inputs: x, outputs: body(x, layers) });
    };
  const image = [9, 8, 6];
  const one = (layer: (layers: Api['layers']) => Layers.layers.Layer, shape = image) =>
    functional(shape, (x, layers) => apply(layer(layers), x));

  it.each<[string, Build]>([
    [
      'Conv2D, dilated, valid, relu',
      one((l) => l.conv2d({ filters: 5, kernelSize: [3, 2], dilationRate: 2, activation: 'relu' })),
    ],
    [
      'Conv2D, strided, same, relu6',
      one((l) => l.conv2d({ filters: 5, kernelSize: 3, strides: [2, 1], padding: 'same', activation: 'relu6' })),
    ],
    [
      'Conv2D, sigmoid, no bias',
      one((l) => l.conv2d({ filters: 4, kernelSize: 1, useBias: false, activation: 'sigmoid' })),
    ],
    ['Conv2D, hard sigmoid', one((l) => l.conv2d({ filters: 4, kernelSize: 1, activation: 'hardSigmoid' }))],
    ['Conv2D, swish', one((l) => l.conv2d({ filters: 4, kernelSize: 1, activation: 'swish' }))],
    ['Conv2D, softmax', one((l) => l.conv2d({ filters: 4, kernelSize: 1, activation: 'softmax' }))],
    [
      'DepthwiseConv2D, multiplier 2, relu6',
      one((l) =>
        l.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, padding: 'same', activation: 'relu6' }),
      ),
    ],
    [
      'SeparableConv2D',
      one((l) =>
        l.separableConv2d({
          filters: 7,
          kernelSize: 3,
          strides: 2,
          padding: 'same',
          activation: 'relu',
        }),
      ),
    ],
    [
      'BatchNormalization without scale and centre',
      one((l) => l.batchNormalization({ scale: false, center: false, epsilon: 0.01 })),
    ],
    ['BatchNormalization of a vector', one((l) => l.batchNormalization(), [6])],
    ['ReLU', one((l) => l.reLU())],
    ['LeakyReLU', one((l) => l.leakyReLU({ alpha: 0.2 }))],
    ['PReLU', one((l) => l.prelu({ sharedAxes: [1, 2], alphaInitializer: 'randomUniform' }))],
    ['ReLU to 3', one((l) => l.reLU({ maxValue: 0.3 }))],
    ['Softmax', one((l) => l.softmax({ axis: -1 }))],
    ['Activation hard_sigmoid', one((l) => l.activation({ activation: 'hardSigmoid' }))],
    [
      'ZeroPadding2D',
      functional(image, (x, l) =>
        apply(
          l.conv2d({ filters: 3, kernelSize: 3 }),
          apply(
            l.zeroPadding2d({
              padding: [
                [1, 2],
                [0, 3],
              ],
            }),
            x,
          ),
        ),
      ),
    ],
    ['AveragePooling2D, same', one((l) => l.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }))],
    ['MaxPooling2D', one((l) => l.maxPooling2d({ poolSize: [2, 3] }))],
    ['GlobalMaxPooling2D', one((l) => l.globalMaxPooling2d({}))],
    ['Dense on pixels', one((l) => l.dense({ units: 4, activation: 'sigmoid' }))],
    ['Dense after Flatten', functional(image, (x, l) => apply(l.dense({ units: 4 }), apply(l.flatten(), x)))],
    ['Reshape with an open size', one((l) => l.reshape({ targetShape: [18, -1, 6] }))],
    [
      'Concatenate, Multiply, Add of three',
      functional(image, (x, l) => {
        const [a, b] = [1, 2].map(() => apply(l.conv2d({ filters: 6, kernelSize: 1 }), x));
        const product = apply(l.multiply(), a!, b!);
        return apply(l.concatenate(), apply(l.add(), x, product, a!), b!);
      }),
    ],
    [
      'Concatenate along height and width',
      functional(image, (x, l) => {
        const below = apply(l.concatenate({ axis: 1 }), x, apply(l.averagePooling2d({ poolSize: [2, 1] }), x));
        return apply(l.concatenate({ axis: 2 }), below, below);
      }),
    ],
    [
      'squeeze and excitation',
      functional(image, (x, l) => {
        const squeezed = apply(l.reshape({ targetShape: [1, 1, 6] }), apply(l.globalAveragePooling2d({}), x));
        return apply(
          l.multiply(),
          x,
          apply(l.conv2d({ filters: 6, kernelSize: 1, activation: 'hardSigmoid' }), squeezed),
        );
      }),
    ],
    [
      'Conv2DTranspose, same',
      one((l) => l.conv2dTranspose({ filters: 5, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' })),
    ],
    [
      'Conv2DTranspose, valid',
      one((l) =>
        l.conv2dTranspose({ filters: 5, kernelSize: [2, 4], strides: [3, 2], padding: 'valid', useBias: false }),
      ),
    ],
    ['UpSampling2D, nearest', one((l) => l.upSampling2d({ size: [2, 3] }))],
    ['UpSampling2D, bilinear', one((l) => l.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }))],
    ['Rescaling', one((l) => l.rescaling({ scale: 0.5, offset: -1 }))],
    [
      'Permute, folded into what follows',
      functional([6, 1, 1], (x, l) => apply(l.dense({ units: 3 }), apply(l.permute({ dims: [2, 3, 1] }), x))),
    ],
    [
      'a layer that is called twice',
      functional(image, (x, l) => {
        const conv = l.conv2d({ filters: 6, kernelSize: 3, padding: 'same', activation: 'relu' });
        return apply(l.add(), apply(conv, x), apply(conv, apply(conv, x)));
      }),
    ],
    ['two outputs', functional(image, (x, l) => [apply(l.reLU(), x), apply(l.globalAveragePooling2d({}), x)])],
    [
      'Dropout and noise',
      functional(image, (x, l) =>
        apply(l.reLU(), apply(l.gaussianNoise({ stddev: 1 }), apply(l.dropout({ rate: 0.5 }), x))),
      ),
    ],
  ])('%s', async (_, build) => {
    await check(build);
  });

  it('a model that is called twice, and twice inside', async () => {
    await check(({ input, layers, model }) => {
      const z = input({ shape: image });
      const inner = model({ inputs: z, outputs: apply(layers.conv2d({ filters: 6, kernelSize: 1 }), z) });
      const y = input({ shape: image });
      const middle = model({
        inputs: y,
        outputs: apply(layers.add(), apply(inner as never, y), apply(inner as never, apply(inner as never, y))),
      });
      const x = input({ shape: image });
      return model({ inputs: x, outputs: apply(middle as never, apply(middle as never, x)) });
    });
  });

  it('DepthwiseConv2D, dilated as Keras has it', async () => {
    const model = one((l) => l.depthwiseConv2d({ kernelSize: 3, dilationRate: 2, padding: 'same' }))(api, tf);
    randomiseWeights(tf, model, 7);
    const graph = await loadGraph(filesOf(modelFolder(await saveModel(tf, model))));
    const data = randomValues(9 * 8 * 6, 1);
    const [kernel, bias] = model.getWeights();
    const convolved = tf.depthwiseConv2d(tf.tensor4d(data, [1, 9, 8, 6]), kernel as Tf.Tensor4D, 1, 'same', 'NHWC', 2);
    const found = runGraph(graph, { x: data })[graph.outputs[0]!.name]!.data;
    const expected = tf.add(convolved, bias!).dataSync();
    expect(normalisedMeanSquareError(found, expected)).toBeLessThan(1e-10);
  });

  it.each([false, true])('channels first, flattened: %s', async (flattened) => {
    const first = { dataFormat: 'channelsFirst' } as const;
    const { graph } = await check(
      functional([3, 8, 7], (x, l) => {
        const a = apply(l.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', ...first }), x);
        const b = apply(l.reLU({ maxValue: 6 }), a);
        const c = apply(l.averagePooling2d({ poolSize: 2, strides: 1, ...first }), apply(l.zeroPadding2d(first), b));
        return apply(l.dense({ units: 3 }), apply(flattened ? l.flatten(first) : l.globalAveragePooling2d(first), c));
      }),
      { layout: 'nchw' },
    );
    expect(graph.inputs[0]!.shape).toEqual([1, 8, 7, 3]);
  });

  it('BatchNormalization of channels that are first', async () => {
    // TensorFlow.js's CPU backend takes the last dimension for the channels here.
    const model = functional([2, 3, 4], (x, l) =>
      apply(l.maxPooling2d({ poolSize: 1, dataFormat: 'channelsFirst' }), apply(l.batchNormalization({ axis: 1 }), x)),
    )(api, tf);
    randomiseWeights(tf, model, 7);
    const graph = await loadGraph(filesOf(modelFolder(await saveModel(tf, model))));
    const [gamma, beta, mean, variance] = model.getWeights().map((weight) => weight.dataSync());
    const x = randomValues(24, 1);
    const found = runGraph(graph, { x })[graph.outputs[0]!.name]!.data;
    const expected = x.map((v, i) => {
      const c = i % 2;
      return ((v - mean![c]!) / Math.sqrt(variance![c]! + 1e-3)) * gamma![c]! + beta![c]!;
    });
    expect(graph.inputs[0]!.shape).toEqual([1, 3, 4, 2]);
    expect(normalisedMeanSquareError(found, expected)).toBeLessThan(1e-10);
  });

  it('several inputs, by their names', async () => {
    const { graph } = await check(({ input, layers, model }) => {
      const [a, b] = ['left', 'right'].map((name) => input({ shape: image, name }));
      return model({ inputs: [a!, b!], outputs: apply(layers.concatenate(), a!, b!) });
    });
    expect(graph.inputs.map(({ name }) => name)).toEqual(['left', 'right']);
  });

  it('sizes that are left open, and a batch', async () => {
    const build = functional([null as never, null as never, 3], (x, l) =>
      apply(l.conv2d({ filters: 4, kernelSize: 3 }), x),
    );
    const { saved } = await check(build, { inputShapes: { x: [2, 7, 5, 3] } });
    const files = filesOf(modelFolder(saved));
    await expect(loadGraph(files)).rejects.toThrow(/input "x" has the shape \[\?,\?,\?,3\] in the file: give one/);
    await expect(loadGraph(files, { inputShapes: { y: [1] } })).rejects.toMatchObject({ code: 'usage' });
  });

  it('weights of 8 bits', async () => {
    const model = mobileNetV1(api, tf);
    randomiseWeights(tf, model, 5);
    const saved = await saveModel(tf, model);
    // Each weight on a grid of 256 values, in the model and in the file.
    const grids = model.getWeights().map((weight) => {
      const values = weight.dataSync() as Float32Array;
      const min = values.reduce((a, b) => Math.min(a, b));
      const scale = Math.fround((values.reduce((a, b) => Math.max(a, b)) - min) / 255) || 1;
      return { min, scale, stored: Uint8Array.from(values, (v) => Math.round((v - min) / scale)), shape: weight.shape };
    });
    model.setWeights(
      grids.map(({ min, scale, stored, shape }) =>
        tf.tensor(
          Float32Array.from(stored, (v) => v * scale + min),
          shape,
        ),
      ),
    );
    const specifications = saved.specifications.map((weight, i) => ({
      ...weight,
      quantization: { dtype: 'uint8', scale: grids[i]!.scale, min: grids[i]!.min },
    }));
    const weights = Uint8Array.from(grids.flatMap(({ stored }) => [...stored]));
    await compare({ ...saved, specifications, weights }, model);
  });

  it('ends where the caller cuts', async () => {
    const { saved } = await check(mobileNetV1);
    const graph = await loadGraph(filesOf(modelFolder(saved)), { outputs: ['pool', 'conv_pw_5'] });
    expect(graph.outputs.map(({ name }) => name)).toEqual(['pool', 'conv_pw_5']);
    expect(graph.nodes.at(-1)).toMatchObject({ op: 'global-average-pool' });
    await expect(loadGraph(filesOf(modelFolder(saved)), { outputs: ['pools'] })).rejects.toThrow(
      /no layer "pools" to cut at; its outputs are: act_softmax/,
    );
  });
});

describe('Teachable Machine', () => {
  const metadata = { packageName: '@teachablemachine/image', labels: ['cat', 'dog', 'neither'], imageSize: 224 };
  const exported = async () => {
    const model = teachableMachine(api, tf);
    randomiseWeights(tf, model, 11);
    return saveModel(tf, model);
  };

  it('brings its labels and its image rule', async () => {
    const graph = await loadGraph(filesOf(modelFolder(await exported(), { 'metadata.json': metadata })));
    expect(graph.labels).toEqual(metadata.labels);
    expect(graph.image).toMatchObject({
      fit: 'crop',
      cropFraction: 1,
      channels: 'rgb',
      scale: [1 / 127],
      offset: [-1],
    });
  });

  it('opens without metadata.json, and refuses that of another model', async () => {
    const saved = await exported();
    expect((await loadGraph(filesOf(modelFolder(saved)))).labels).toBeUndefined();
    const other = { ...metadata, labels: ['cat', 'dog'] };
    await expect(loadGraph(filesOf(modelFolder(saved, { 'metadata.json': other })))).rejects.toThrow(
      /^metadata.json: names 2 classes, and model.json has 3: it belongs to another model/,
    );
    await expect(loadGraph(filesOf(modelFolder(saved, { 'metadata.json': { labels: 'cat' } })))).rejects.toMatchObject({
      code: 'model-format',
    });
  });
});
