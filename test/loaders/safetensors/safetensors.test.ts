/** Weights named as timm, torchvision and transformers name them: the same network, whatever the library. */
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../src/architectures/index.ts';
import { mobileNetV2 } from '../../../src/architectures/mobilenet-v2.ts';
import type { PaddingRule } from '../../../src/architectures/weights.ts';
import { UsageError } from '../../../src/errors.ts';
import { networkCost } from '../../../src/graph/cost.ts';
import type { Graph } from '../../../src/graph/graph.ts';
import { seededInputs } from '../../../src/graph/random-inputs.ts';
import { load } from '../../../src/load.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { type Library, type State, stateOf, withRules, writeState } from '../../support/safetensors-models.ts';

const name = 'model.safetensors';

/** Loads a file with JSON files beside it. */
const open = (bytes: Uint8Array, beside: Readonly<Record<string, unknown>> = {}, options = {}) =>
  loadGraph(
    {
      name,
      bytes,
      read: async (path) => {
        if (!Object.hasOwn(beside, path)) throw new Error('no such file');
        return new TextEncoder().encode(JSON.stringify(beside[path]));
      },
    },
    options,
  );

const sized = (side: number, channels = 3) => ({ inputShapes: { input: [1, channels, side, side] } });

/** The nodes of both are the same, bit by bit. */
function expectSame(found: Graph, expected: Graph): void {
  expect(found.nodes.length).toBe(expected.nodes.length);
  found.nodes.forEach((node, i) => {
    const other = expected.nodes[i]!;
    const bare = (value: object) =>
      Object.fromEntries(Object.entries(value).filter(([, field]) => !(field instanceof Float32Array)));
    expect(bare(node)).toEqual(bare(other));
    for (const [key, field] of Object.entries(other)) {
      if (!(field instanceof Float32Array)) continue;
      const values = node[key as keyof typeof node] as unknown as Float32Array;
      expect(Buffer.compare(Buffer.from(field.buffer), Buffer.from(values.slice().buffer)), node.name).toBe(0);
    }
  });
}

const timm = (architecture: string) => ({ 'config.json': { architecture } });

/** Library, network, file beside the weights, how that library pads, its batch-norm epsilon. */
const cases: readonly [Library, string, Readonly<Record<string, unknown>>, PaddingRule, number][] = [
  ['transformers', 'v1', {}, 'same', 1e-3],
  ['timm', 'v1', {}, 'symmetric', 1e-5],
  ['torchvision', 'v2', {}, 'symmetric', 1e-5],
  ['transformers', 'v2', { 'config.json': { tf_padding: false, layer_norm_eps: 0.01 } }, 'symmetric', 0.01],
  ['timm', 'v2', {}, 'symmetric', 1e-5],
  ['torchvision', 'v3-small', {}, 'symmetric', 1e-3],
  ['timm', 'v3-small', timm('mobilenetv3_small_050'), 'symmetric', 1e-5],
  ['torchvision', 'v3-large', {}, 'symmetric', 1e-3],
  ['timm', 'v3-large', timm('tf_mobilenetv3_large_100'), 'same', 1e-3],
  ['timm', 'v3-large-minimalistic', {}, 'same', 1e-3],
  ['timm', 'v4-conv-small', {}, 'symmetric', 1e-5],
  ['timm', 'v4-conv-medium', timm('mobilenetv4_conv_medium'), 'symmetric', 1e-5],
  ['timm', 'v4-conv-large', timm('mobilenetv4_conv_large'), 'symmetric', 1e-5],
];

describe.each(cases)('%s names %s', (library, network, beside, padding, epsilon) => {
  it.each([
    [0.35, 64],
    [0.35, 96],
    [0.5, 64],
    [0.5, 96],
    [0.75, 64],
    [0.75, 96],
  ])('α %f at %d²: the same network and outputs', async (alpha, side) => {
    const built = buildArchitecture(`${network}-${alpha}-${side}`, { classes: 11, seed: 3 });
    const expected = withRules(built, padding, epsilon);
    const found = await open(writeState(stateOf(expected, network, library)), beside, sized(side));
    expectSame(found, expected);
    const inputs = seededInputs(expected);
    expect(runGraph(found, inputs)).toEqual(runGraph(expected, inputs));
  });
});

it.each<[Library, string, number]>([
  ['transformers', 'v1-1.0', 4_231_976],
  ['timm', 'v1-1.0', 4_231_976],
  ['torchvision', 'v2-1.0', 3_504_872],
  ['timm', 'v2-1.4', 6_108_776],
  ['torchvision', 'v3-small-1.0', 2_542_856],
  ['torchvision', 'v3-large-1.0', 5_483_032],
  ['timm', 'v4-conv-small-1.0', 3_774_024],
  ['timm', 'v4-conv-medium-1.0', 9_715_512],
  ['timm', 'v4-conv-large-1.0', 32_590_864],
])('%s: %s has the %i parameters that are published', async (library, id, parameters) => {
  const network = id.replace(/-\d\.\d$/, '');
  const state = stateOf(buildArchitecture(`${id}-32`), network, library);
  expect(networkCost(await open(writeState(state))).parameters).toBe(parameters);
});

it('says what a file without its config.json leaves open, and a saved model keeps it', async () => {
  const of = async (library: Library, network: string, beside = {}, options = {}) => {
    const state = stateOf(buildArchitecture(`${network}-0.35-32`, { classes: 3 }), network, library);
    return open(writeState(state), beside, options);
  };
  const bare = await of('timm', 'v3-small');
  expect(bare.assumptions).toEqual([
    expect.stringMatching(
      /^config\.json is not beside it: padding is taken as symmetric and .* epsilon as 0\.00001.*blur/,
    ),
    "pictures become the input as timm has it by default (image: 'timm'): no file says how",
    'nothing says how large its pictures are: 224 × 224 is taken',
  ]);
  expect(bare.image).toMatchObject({ fit: 'crop', cropFraction: 0.875, filter: 'bicubic' });
  expect((await of('transformers', 'v2', {}, sized(64))).assumptions).toEqual([
    expect.stringMatching(/padding is taken as TensorFlow's/),
  ]);
  // Names say which library, and torchvision has one way.
  expect((await of('torchvision', 'v2', {}, sized(64))).assumptions).toEqual([
    expect.stringMatching(/as torchvision has it/),
  ]);
  const stated = {
    'config.json': { architecture: 'mobilenetv3_small_050', pretrained_cfg: { input_size: [3, 64, 64] } },
  };
  expect((await of('timm', 'v3-small', stated)).assumptions).toEqual([
    expect.stringMatching(/as timm has it by default/),
  ]);
  const model = await load(await of('timm', 'v4-conv-small', {}, sized(32)), { device: 'reference' });
  expect(model.assumptions).toHaveLength(2);
  const again = await load(await model.save(), { device: 'reference' });
  expect(again.assumptions).toEqual(model.assumptions);
  expect((await model.inspect()).assumptions).toEqual(model.assumptions);
});

it('counts the blocks of timm’s deeper V2', async () => {
  const options = { seed: 3, classes: 11, inputChannels: 3, batch: 1 };
  const built = mobileNetV2('v2', 1.1, 64, options, [1, 3, 4, 5, 4, 4, 1]);
  const expected = withRules(built, 'symmetric', 1e-5);
  const state = stateOf(expected, 'v2-110d', 'timm');
  const found = await open(writeState(state), timm('mobilenetv2_110d'), sized(64));
  expectSame(found, expected);
  expect(state.delete('blocks.3.4.conv_dw.weight')).toBe(true);
  await expect(open(writeState(state))).rejects.toThrow('lacks the tensor "blocks.3.4.conv_dw.weight"');
});

it('adds nothing back in the stem of transformers’ V2, of equal widths at α = 0.25', async () => {
  const built = withRules(buildArchitecture('v2-0.25-64', { classes: 11 }), 'same', 1e-3);
  const bytes = writeState(stateOf(built, 'v2', 'transformers'));
  const names = (graph: Graph) => graph.nodes.map((node) => node.name);
  expect(names(built)).toContain('block1/add');
  const found = await open(bytes, {}, sized(64));
  expect(names(found)).toEqual(names(built).filter((node) => node !== 'block1/add'));
  expect(found.nodes.find((node) => node.name === 'block2/expand')!.inputs).toEqual(['block1/project/batch-norm']);
});

const small = () => stateOf(buildArchitecture('v2-0.35-32', { classes: 3 }), 'v2', 'torchvision');
const google = () => stateOf(buildArchitecture('v1-0.25-32', { classes: 3 }), 'v1', 'transformers');
const timmSmall = () => stateOf(buildArchitecture('v4-conv-small-0.35-32', { classes: 3 }), 'v4-conv-small', 'timm');

describe('what lies beside', () => {
  it('is 224², with the rule of its library, where there is nothing', async () => {
    const graph = await open(writeState(small()));
    expect(graph).toMatchObject({ name, inputs: [{ name: 'input', shape: [1, 224, 224, 3] }] });
    expect(graph.image).toMatchObject({ fit: 'crop', cropFraction: 0.875 });
    expect(graph).not.toHaveProperty('labels');
  });

  it('takes a page for no config.json, and a damaged one for damaged', async () => {
    const bytes = writeState(small());
    const beside = (text: string) =>
      loadGraph({ name, bytes, read: async () => new TextEncoder().encode(text) }, sized(32));
    expect(await beside('\n<!doctype html><title>x</title>')).not.toHaveProperty('labels');
    await expect(beside('{"labels": ')).rejects.toMatchObject({ code: 'model-format', file: 'config.json' });
  });

  it('config.json of timm', async () => {
    const config = {
      architecture: 'mobilenetv4_conv_small',
      pretrained_cfg: {
        input_size: [3, 96, 96],
        interpolation: 'bicubic',
        crop_pct: 0.95,
        crop_mode: 'center',
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        label_names: ['n1', 'n2', 'n3'],
        label_descriptions: { n1: 'cat', n3: 'dog' },
      },
    };
    const graph = await open(writeState(timmSmall()), { 'config.json': config });
    expect(graph.inputs[0]!.shape).toEqual([1, 96, 96, 3]);
    expect(graph.labels).toEqual(['cat', 'n2', 'dog']);
    expect(graph.image).toMatchObject({ fit: 'crop', cropFraction: 0.95, filter: 'bicubic', antialias: true });
    // Black and white as torch's Normalize has them.
    expect(graph.image!.offset[0]).toBeCloseTo(-0.485 / 0.229, 12);
    expect(255 * graph.image!.scale[2]! + graph.image!.offset[2]!).toBeCloseTo((1 - 0.406) / 0.225, 12);
  });

  it('config.json and preprocessor_config.json of transformers', async () => {
    const graph = await open(writeState(google()), {
      'config.json': {
        model_type: 'mobilenet_v1',
        image_size: 128,
        hidden_act: 'relu6',
        id2label: { '0': 'background', '1': 'cat', '2': 'dog' },
      },
      'preprocessor_config.json': {
        crop_size: { height: 128, width: 128 },
        size: { shortest_edge: 160 },
        resample: 2,
        rescale_factor: 1 / 255,
        image_mean: [0.5, 0.5, 0.5],
        image_std: [0.5, 0.5, 0.5],
      },
    });
    expect(graph.inputs[0]!.shape).toEqual([1, 128, 128, 3]);
    expect(graph.labels).toEqual(['background', 'cat', 'dog']);
    expect(graph.image).toMatchObject({ cropFraction: 0.8, filter: 'bilinear', offset: [-1, -1, -1] });
    expect(graph.image!.scale[0]).toBeCloseTo(1 / 127.5, 12);
  });

  it.each<[string, () => State, Readonly<Record<string, unknown>>, RegExp]>([
    ['another architecture', timmSmall, { architecture: 'mobilenetv2_100' }, /"mobilenetv2_100".*MobileNetV4's/],
    ['blur pools', timmSmall, { architecture: 'mobilenetv4_conv_blur_medium' }, /conv_blur_medium".*blurred/],
    ['another model_type', google, { model_type: 'resnet' }, /"resnet".*MobileNetV1's/],
    ['too few labels', google, { id2label: { '0': 'a' } }, /names 1 classes in id2label.*has 3/],
    ['labels that are no names', google, { id2label: { '0': 'a', '1': 1, '2': 'c' } }, /id2label for class 1 1/],
    ['another activation', google, { hidden_act: 'gelu' }, /hidden_act "gelu", expected "relu6"/],
    ['a size of zero', google, { image_size: 0 }, /image_size 0/],
    ['an epsilon of text', google, { layer_norm_eps: '1e-3' }, /layer_norm_eps "1e-3"/],
    ['a padding of text', google, { tf_padding: 'yes' }, /tf_padding "yes"/],
  ])('%s is refused', async (_what, state, config, message) => {
    await expect(open(writeState(state()), { 'config.json': config })).rejects.toMatchObject({
      code: 'model-format',
      file: 'config.json',
      message: expect.stringMatching(message),
    });
  });
});

it('is found among the files of a folder', async () => {
  const json = JSON.stringify({ model_type: 'mobilenet_v1', image_size: 32, id2label: { 0: 'a', 1: 'b', 2: 'c' } });
  const files = [new File([json], 'config.json'), new File([writeState(google())], name)];
  const model = await load(files, { device: 'reference' });
  expect(model.inputs[0]!.shape).toEqual([1, 32, 32, 3]);
  expect(model.labels).toEqual(['a', 'b', 'c']);
  const saved = await load(await model.save(), { device: 'reference' });
  expect(saved.labels).toEqual(['a', 'b', 'c']);
});

describe('halves', () => {
  const narrowed = (dtype: 'F16' | 'BF16', one: number): State => {
    const state = small();
    const { shape } = state.get('classifier.1.bias')!;
    const bytes = new Uint8Array(Uint16Array.of(one, 0x8000 | one, 0).buffer);
    return state.set('classifier.1.bias', { dtype, shape, bytes });
  };

  it.each([
    ['F16', 0x3c00],
    ['BF16', 0x3f80],
  ] as const)('%s is read', async (dtype, one) => {
    const graph = await open(writeState(narrowed(dtype, one)), {}, sized(32));
    const last = graph.nodes.at(-1)!;
    expect(last.op === 'fully-connected' && [...last.bias!]).toEqual([1, -1, 0]);
  });
});

describe('a whole file of halves', () => {
  it.each(['F16', 'BF16'] as const)('%s: the weights, cut to its precision', async (dtype) => {
    const rounded = new Map(
      [...small()].map(([tensor, { dtype: from, shape, bytes }]) => [
        tensor,
        from === 'F32' ? { dtype, shape, bytes: narrow(bytes, dtype) } : { dtype: from, shape, bytes },
      ]),
    );
    const [found, full] = [
      await open(writeState(rounded), {}, sized(32)),
      await open(writeState(small()), {}, sized(32)),
    ];
    const unit = dtype === 'F16' ? 2 ** -10 : 2 ** -7;
    found.nodes.forEach((node, i) => {
      if (node.op !== 'conv2d') return;
      const other = full.nodes[i] as typeof node;
      node.weights.forEach((value, k) => {
        const exact = other.weights[k]!;
        if (Math.abs(value - exact) > unit * Math.abs(exact) + 2 ** -24)
          expect.fail(`${node.name}[${k}]: ${value}, ${exact}`);
      });
    });
  });
});

/** Little-endian halves, cut off towards zero. */
function narrow(bytes: Uint8Array, dtype: 'F16' | 'BF16'): Uint8Array {
  const values = new Float32Array(bytes.slice().buffer);
  const bits = new Uint32Array(values.buffer);
  const halves = Uint16Array.from(bits, (word, i) => {
    if (dtype === 'BF16') return word >>> 16;
    const [sign, size] = [(word >>> 16) & 0x8000, Math.abs(values[i]!)];
    if (size < 2 ** -14) return sign | Math.floor(size * 2 ** 24);
    const exponent = Math.floor(Math.log2(size));
    return sign | ((exponent + 15) << 10) | Math.floor((size / 2 ** exponent - 1) * 1024);
  });
  return new Uint8Array(halves.buffer);
}

describe('options', () => {
  it('take a batch, and no other name, shape or cut', async () => {
    const bytes = writeState(small());
    const inputs = (input: readonly number[]) => open(bytes, {}, { inputShapes: { input } });
    expect((await inputs([2, 3, 64, 64])).inputs[0]!.shape).toEqual([2, 64, 64, 3]);
    for (const shape of [
      [1, 1, 64, 64],
      [1, 3, 64, 32],
      [0, 3, 64, 64],
      [1, 3, 64],
      [1, 3, 1e9, 1e9],
    ]) {
      await expect(inputs(shape)).rejects.toThrow(UsageError);
    }
    await expect(open(bytes, {}, { inputShapes: { x: [1, 3, 64, 64] } })).rejects.toThrow(UsageError);
    await expect(open(bytes, {}, { outputs: ['logits'] })).rejects.toThrow(UsageError);
  });
});
