/** Damaged and hostile weights: each ends soon, in a typed error that names the tensor. The container's own: saved-model.test.ts. */
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../../src/architectures/index.ts';
import { MobileNetError } from '../../../src/errors.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { cheaply } from '../../support/cost.ts';
import { type State, stateOf, writeState } from '../../support/safetensors-models.ts';

const name = 'weights.safetensors';
const options = { inputShapes: { input: [1, 3, 32, 32] } };

async function errorOf(bytes: Uint8Array): Promise<MobileNetError | null> {
  try {
    await loadGraph({ name, bytes }, options);
    return null;
  } catch (error) {
    if (error instanceof MobileNetError) return error;
    throw new Error('ended in an error that is not typed', { cause: error });
  }
}

const floats = (shape: readonly number[], value = 0) => ({
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value).buffer),
});

const sources: Readonly<Record<'torchvision' | 'timm' | 'transformers' | 'v3', () => State>> = {
  torchvision: () => stateOf(buildArchitecture('v2-0.35-32', { classes: 3 }), 'v2', 'torchvision'),
  v3: () => stateOf(buildArchitecture('v3-small-0.35-32', { classes: 3 }), 'v3-small', 'torchvision'),
  timm: () => stateOf(buildArchitecture('v4-conv-small-0.35-32', { classes: 3 }), 'v4-conv-small', 'timm'),
  transformers: () => stateOf(buildArchitecture('v1-0.25-32', { classes: 3 }), 'v1', 'transformers'),
};

/** The tensor with other values in its first place. */
const first = (state: State, tensor: string, value: number): State => {
  const { shape, bytes, dtype } = state.get(tensor)!;
  const values = new Float32Array(bytes.slice().buffer);
  values[0] = value;
  return state.set(tensor, { dtype, shape, bytes: new Uint8Array(values.buffer) });
};
const reshaped = (state: State, tensor: string, shape: readonly number[]): State =>
  state.set(tensor, { ...state.get(tensor)!, shape });
const without = (state: State, tensor: string): State => {
  expect(state.delete(tensor), tensor).toBe(true);
  return state;
};

describe('is refused', () => {
  it.each<[string, keyof typeof sources, (state: State) => State, RegExp]>([
    [
      'a missing convolution',
      'torchvision',
      (state) => without(state, 'features.3.conv.1.0.weight'),
      /lacks the tensor "features\.3\.conv\.1\.0\.weight" \(layer block3\/depthwise\).*V2 of torchvision/,
    ],
    [
      'a missing batch-norm statistic',
      'timm',
      (state) => without(state, 'blocks.2.0.dw_mid.bn.running_var'),
      /lacks the tensor "blocks\.2\.0\.dw_mid\.bn\.running_var"/,
    ],
    ['a missing head', 'transformers', (state) => without(state, 'classifier.weight'), /lacks .*"classifier\.weight"/],
    [
      'a missing bias',
      'v3',
      (state) => without(state, 'features.1.block.1.fc1.bias'),
      /"features\.1\.block\.1\.fc1\.bias"/,
    ],
    [
      'a tensor too many',
      'timm',
      (state) => state.set('blocks.3.0.attn.query.weight', floats([4, 4])),
      /tensor "blocks\.3\.0\.attn\.query\.weight" of \[4,4\] has no place in the MobileNetV4 of timm/,
    ],
    [
      '__proto__ too many',
      'torchvision',
      (state) => state.set('__proto__', floats([1])),
      /tensor "__proto__" of \[1\]/,
    ],
    [
      'constructor as a layer',
      'torchvision',
      (state) => state.set('features.constructor.0.weight', floats([1])),
      /features\.constructor\.0\.weight" of \[1\] has no place/,
    ],
    [
      'TensorFlow’s layout',
      'torchvision',
      (state) => reshaped(state, 'features.2.conv.1.0.weight', [3, 3, 1, 48]),
      /tensor "features\.2\.conv\.1\.0\.weight" has the shape \[3,3,1,48\], expected \[48,1,3,3\]/,
    ],
    [
      'another kernel',
      'timm',
      (state) => state.set('blocks.2.0.dw_start.conv.weight', floats([24, 1, 3, 3])),
      /"blocks\.2\.0\.dw_start\.conv\.weight" has the shape \[24,1,3,3\], expected \[24,1,5,5\]/,
    ],
    [
      'a batch-norm of another width',
      'transformers',
      (state) => state.set('mobilenet_v1.layer.1.normalization.bias', floats([7])),
      /normalization\.bias" has the shape \[7\], expected \[16\] \(layer block1\/pointwise\)/,
    ],
    [
      'layers that do not chain',
      'torchvision',
      (state) => state.set('features.18.0.weight', floats([1280, 64, 1, 1])),
      /"features\.18\.0\.weight" has the shape \[1280,64,1,1\], expected \[1280,112,1,1\]/,
    ],
    [
      'a scalar for weights',
      'torchvision',
      (state) => state.set('features.0.0.weight', floats([])),
      /"features\.0\.0\.weight" has the shape \[\]/,
    ],
    [
      'no classes',
      'transformers',
      (state) => state.set('classifier.weight', floats([0, 256])),
      /"classifier\.weight" has the shape \[0,256\]/,
    ],
    [
      'no input channels',
      'torchvision',
      (state) => state.set('features.0.0.weight', floats([16, 0, 3, 3])),
      /"features\.0\.0\.weight" has the shape \[16,0,3,3\]/,
    ],
    [
      'a dimension beyond any network’s',
      'torchvision',
      (state) => state.set('features.0.0.weight', floats([2 ** 40, 0, 3, 3])),
      /"features\.0\.0\.weight" has the shape \[1099511627776,0,3,3\]/,
    ],
    [
      'NaN',
      'torchvision',
      (state) => first(state, 'features.1.conv.1.weight', Number.NaN),
      /features\.1\.conv\.1\.weight" holds NaN at 0/,
    ],
    [
      'an infinite bias',
      'transformers',
      (state) => first(state, 'classifier.bias', Number.NEGATIVE_INFINITY),
      /"classifier\.bias" holds -Infinity at 0/,
    ],
    [
      'a negative variance',
      'timm',
      (state) => first(state, 'bn1.running_var', -1),
      /tensor "bn1\.running_var" \[0\] is -1, expected a variance ≥ 0/,
    ],
    [
      'an infinite half',
      'torchvision',
      (state) =>
        state.set('classifier.1.bias', { dtype: 'F16', shape: [3], bytes: Uint8Array.of(0, 0x7c, 0, 0, 0, 0) }),
      /"classifier\.1\.bias" holds Infinity at 0/,
    ],
    [
      'whole numbers for weights',
      'torchvision',
      (state) => state.set('classifier.1.bias', { dtype: 'I32', shape: [3], bytes: new Uint8Array(12) }),
      /"classifier\.1\.bias" is I32, expected F32, F16 or BF16/,
    ],
    [
      'doubles',
      'torchvision',
      (state) => state.set('classifier.1.bias', { dtype: 'F64', shape: [3], bytes: new Uint8Array(24) }),
      /"classifier\.1\.bias" is F64/,
    ],
    [
      'another network',
      'timm',
      () => new Map([['layer1.0.conv1.weight', floats([1, 1])]]),
      /1 tensors.*"layer1\.0\.conv1\.weight"/,
    ],
    ['nothing at all', 'timm', () => new Map(), /0 tensors.*none/],
    [
      'a stem alone',
      'timm',
      () =>
        new Map([
          ['features.0.0.weight', floats([8, 3, 3, 3])],
          ['features.1.conv.0.0.weight', floats([8, 1, 3, 3])],
        ]),
      /lacks the tensor "classifier\.1\.weight"/,
    ],
    [
      'twenty thousand names',
      'torchvision',
      (state) => {
        for (let i = state.size; i < 20_000; i++) state.set(`features.${i}.weight`, floats([0]));
        return state;
      },
      /tensor "features\.\d+\.weight" of \[0\] has no place/,
    ],
  ])('%s', async (_what, source, change, message) => {
    const bytes = writeState(change(sources[source]()));
    const error = await cheaply(() => errorOf(bytes));
    expect(error).toMatchObject({ code: 'model-format', file: name, message: expect.stringMatching(message) });
  });

  it('cut anywhere', async () => {
    const bytes = writeState(sources.transformers());
    expect(await errorOf(bytes)).toBeNull();
    for (let i = 1; i <= 60; i++) {
      const error = await errorOf(bytes.subarray(0, Math.floor((bytes.length * i) / 61)));
      expect(error?.code).toBe('model-format');
    }
  });

  it('with any byte of its header altered: a network or a typed error', async () => {
    const bytes = writeState(sources.transformers());
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const copy = bytes.slice();
      const at = 8 + Math.floor((header * i) / 300);
      copy[at] = copy[at]! ^ (1 << (i % 8));
      if (await errorOf(copy)) refused++;
    }
    expect(refused).toBeGreaterThan(200);
  });
});
