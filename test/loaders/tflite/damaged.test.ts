/**
 * TensorFlow Lite files that are damaged or made to harm: each ends in a typed error that names the place, within
 * seconds and 100 MB.
 */
import { describe, expect, test } from 'vitest';
import { MobileNetError, UsageError } from '../../../src/errors.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { cheaply } from '../../support/cost.ts';
import { type FlatRecord, writeFlat } from '../../support/flat-writer.ts';
import { randomValues } from '../../support/oracles.ts';
import {
  fieldOf,
  follow,
  type ModelSpec,
  many,
  type OperatorSpec,
  rootOf,
  subgraphOf,
  type TensorSpec,
  table,
  tfliteFile,
  vtableOf,
} from '../../support/tflite-writer.ts';

type Code = 'model-format' | 'unsupported-op';
type Expected = readonly [code: Code, message: RegExp];
const format = (message: RegExp): Expected => ['model-format', message];
const unsupported = (message: RegExp): Expected => ['unsupported-op', message];

async function errorOf(bytes: Uint8Array): Promise<unknown> {
  try {
    await loadGraph({ name: 'm.tflite', bytes });
    return null;
  } catch (error) {
    return error;
  }
}

async function refused(bytes: Uint8Array, [code, message]: Expected): Promise<void> {
  const error = await cheaply(() => errorOf(bytes));
  expect(error).toBeInstanceOf(MobileNetError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  expect((error as Error).message).toMatch(/^m\.tflite/);
  expect((error as Error).message.length).toBeLessThan(10_000);
}

const x: TensorSpec = { name: 'x', dims: [1, 4, 4, 4] };
const y: TensorSpec = { name: 'y', dims: [1, 4, 4, 4] };
const f32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const i32 = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);
const filled = (bytes: number, value = 0) => new Uint8Array(bytes).fill(value);

const convOptions = (more: FlatRecord['fields'] = {}): FlatRecord['fields'] => ({
  0: ['byte', 0],
  1: 1,
  2: 1,
  3: ['byte', 0],
  4: 1,
  5: 1,
  ...more,
});
/** `w` is a weight of [2, 3, 3, 4], laid out as a convolution has it. */
const conv = (options: FlatRecord['fields'] | null = convOptions(), weights: Partial<TensorSpec> = {}) =>
  tfliteFile({
    tensors: [x, { name: 'w', dims: [2, 3, 3, 4], data: f32(...randomValues(72, 1)), ...weights }, y],
    operators: [{ op: 'CONV_2D', inputs: ['x', 'w'], output: 'y', ...(options && { options }) }],
  });
const quantised = (weights: Partial<TensorSpec>) =>
  conv(convOptions(), { type: 'INT8', data: filled(72, 5), scales: [0.5], zeroPoints: [0], ...weights });
const relu = (more: Partial<ModelSpec> = {}) =>
  tfliteFile({ tensors: [x, y], operators: [{ op: 'RELU', inputs: ['x'], output: 'y' }], ...more });
/** One operator on `x` with `constants`. */
const one = (
  op: OperatorSpec['op'],
  constants: readonly TensorSpec[],
  options?: FlatRecord['fields'],
  first: Partial<TensorSpec> = {},
  last: Partial<TensorSpec> = {},
) =>
  tfliteFile({
    tensors: [{ ...x, ...first }, ...constants, { ...y, ...last }],
    operators: [{ op, inputs: ['x', ...constants.map(({ name }) => name)], output: 'y', ...(options && { options }) }],
  });

/** NormalizationOptions of a picture, as TensorFlow Lite's metadata_schema.fbs has them. */
function normalisation(mean: readonly number[], deviation: readonly number[]): Uint8Array {
  const unit = table({ 0: ['byte', 1], 1: table({ 0: { floats: mean }, 1: { floats: deviation } }) });
  const input = table({ 4: { tables: [unit] } });
  return writeFlat(table({ 3: { tables: [table({ 2: { tables: [input] } })] } }), 'M001');
}
const described = (metadata: Uint8Array) => relu({ tensors: [{ ...x, dims: [1, 4, 4, 3] }, y], metadata });

/** `count` operators one after the other, from x to y. */
function chain(
  count: number,
  op: OperatorSpec['op'],
  dims: readonly number[],
  more: { constants?: readonly TensorSpec[]; options?: FlatRecord['fields']; constantOf?: (i: number) => number },
): Uint8Array {
  const { constants = [], options = {}, constantOf = () => 0 } = more;
  const between = Array.from({ length: count }, (_, i) => ({ name: i === count - 1 ? 'y' : `t${i}`, dims }));
  const first = constants.length + 1;
  return tfliteFile({
    tensors: [{ ...x, dims }, ...constants, ...between],
    operators: between.map(({ name }, i) => ({
      op,
      inputs: [i === 0 ? 0 : first + i - 1, ...(constants.length ? [1 + constantOf(i)] : [])],
      output: name,
      options,
    })),
    outputs: [constants.length + count],
  });
}

/** The file's bytes with one number replaced; `at` finds it. */
function patched(bytes: Uint8Array, at: (view: DataView) => number, size: 2 | 4, value: number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  if (size === 2) view.setUint16(at(view), value, true);
  else view.setUint32(at(view), value, true);
  return copy;
}
const cases: Readonly<Record<string, readonly [bytes: () => Uint8Array, expected: Expected]>> = {
  // Bytes and offsets
  'nothing behind the identifier': [() => relu().slice(0, 8), format(/points to 4 bytes at byte \d+, but has 8/)],
  'a root far behind the end': [
    () => patched(relu(), () => 0, 4, 0xfffffff0),
    format(/points to 4 bytes at byte 4294967280/),
  ],
  'a vtable before the file': [
    () => patched(relu(), rootOf, 4, 0x7fffffff),
    format(/points to 4 bytes at byte -\d+, but has/),
  ],
  'a vtable behind the file': [() => patched(relu(), rootOf, 4, 0x80000000), format(/points to 4 bytes at byte \d+/)],
  'a vtable of 65,534 bytes': [
    () => patched(relu(), (view) => vtableOf(view, rootOf(view)), 2, 65_534),
    format(/points to 65534 bytes/),
  ],
  'a vtable of two bytes': [
    () => patched(relu(), (view) => vtableOf(view, rootOf(view)), 2, 2),
    format(/has a table of \d+ bytes with a vtable of 2, expected at least 4 \(at byte/),
  ],
  'a table of 65,535 bytes': [
    () => patched(relu(), (view) => vtableOf(view, rootOf(view)) + 2, 2, 65_535),
    format(/points to 65535 bytes/),
  ],
  'a field outside its table': [
    () => patched(relu(), (view) => vtableOf(view, rootOf(view)) + 4, 2, 5000),
    format(/has field 0 at 5000 of a table of \d+ bytes, expected 4 bytes inside it/),
  ],
  'a table that begins in its own vtable offset': [
    () => patched(relu(), (view) => vtableOf(view, rootOf(view)) + 4, 2, 1),
    format(/has field 0 at 1 of a table/),
  ],
  'tensors that claim four thousand million': [
    () => patched(relu(), (view) => follow(view, fieldOf(view, subgraphOf(view), 0)), 4, 0xffffffff),
    format(/points to 17179869180 bytes/),
  ],
  'operators that point to the file’s last byte': [
    () => patched(relu(), (view) => follow(view, fieldOf(view, subgraphOf(view), 3)) + 4, 4, 0xffffffff),
    format(/points to 4 bytes at byte \d+/),
  ],
  'a list of tensors behind the end': [
    () => patched(relu(), (view) => fieldOf(view, subgraphOf(view), 0), 4, 0x7ffffff0),
    format(/points to 4 bytes at byte \d+, but has/),
  ],
  'a name of four gigabytes': [
    () =>
      patched(
        relu(),
        (view) => {
          const tensors = follow(view, fieldOf(view, subgraphOf(view), 0));
          return follow(view, fieldOf(view, follow(view, tensors + 4), 3));
        },
        4,
        0xffffffff,
      ),
    format(/points to 4294967295 bytes/),
  ],
  'the first version': [() => relu({ version: 1 }), format(/has the schema version 1, expected 3/)],
  'no version': [() => relu({ root: { 0: null } }), format(/has the schema version 0, expected 3/)],
  'no subgraph': [() => relu({ root: { 2: null } }), format(/has 0 subgraphs, expected one/)],
  'two subgraphs': [() => relu({ root: { 2: many(2, table({})) } }), format(/has 2 subgraphs, expected one/)],

  // Too much of everything
  '100,000 tensors': [
    () => relu({ subgraph: { 0: many(100_000, table({ 3: { text: 'x' } })) } }),
    format(/has 100000 tensors, expected at most 50000 \(at byte \d+\)/),
  ],
  '100,000 operators': [
    () => relu({ subgraph: { 3: many(100_000, table({ 1: { ints: [0] }, 2: { ints: [1] } })) } }),
    format(/has 100000 operators, expected at most 50000/),
  ],
  '100,000 buffers': [
    () => relu({ root: { 4: many(100_000, table({})) } }),
    format(/has 100000 buffers, expected at most 50000/),
  ],
  '100,000 operator codes': [
    () => relu({ root: { 1: many(100_000, table({})) } }),
    format(/has 100000 operator codes, expected at most 50000/),
  ],
  '100,000 subgraphs': [
    () => relu({ root: { 2: many(100_000, table({})) } }),
    format(/has 100000 subgraphs, expected at most/),
  ],
  '100,000 inputs': [
    () => relu({ inputs: new Array(100_000).fill(0) }),
    format(/has 100000 inputs, expected at most 100/),
  ],
  '100,000 outputs': [
    () => relu({ outputs: new Array(100_000).fill(1) }),
    format(/has 100000 outputs, expected at most 1000/),
  ],
  '100,000 inputs of one operator': [
    () =>
      tfliteFile({
        tensors: [x, y],
        operators: [{ op: 'CONCATENATION', inputs: new Array(100_000).fill(0), output: 'y' }],
      }),
    format(/has 100000 inputs of an operator, expected at most 4096/),
  ],
  '100,000 dimensions': [
    () => relu({ tensors: [{ name: 'x', dims: new Array(100_000).fill(1) }, y] }),
    format(/has 100000 dimensions in tensor "x", expected at most 16/),
  ],
  'a name of a megabyte': [
    () => relu({ tensors: [{ ...x, name: 'n'.repeat(1_000_000) }, y], inputs: [0] }),
    format(/has 1000000 bytes in a name, expected at most 65536/),
  ],
  'a name of 60,000 bytes in 40,000 places': [
    () => relu({ subgraph: { 0: many(40_000, table({ 0: { ints: [1] }, 3: { text: 'n'.repeat(60_000) } })) } }),
    format(/has bytes in a name in so many places that they take more than the file has bytes/),
  ],
  'a million scales in 40,000 places': [
    () =>
      relu({
        subgraph: {
          0: many(40_000, table({ 3: { text: 'q' }, 4: table({ 2: { floats: new Array(1_000_000).fill(1) } }) })),
        },
      }),
    format(/has scales in tensor "q" in so many places/),
  ],
  '4,096 inputs in 40,000 places': [
    () =>
      relu({
        subgraph: { 3: many(40_000, table({ 1: { ints: new Array(4096).fill(0) }, 2: { ints: [1] } })) },
      }),
    format(/has inputs of an operator in so many places/),
  ],
  'one weight in 5,000 convolutions': [
    () =>
      chain(5000, 'CONV_2D', [1, 1, 1, 1000], {
        constants: [{ name: 'w', dims: [1000, 1, 1, 1000], type: 'INT8', scales: [1], data: filled(1_000_000) }],
        options: convOptions(),
      }),
    format(/node "t\d+" \(CONV_2D\): makes constants far larger than the file/),
  ],
  'one weight in 5,000 products': [
    () =>
      chain(5000, 'FULLY_CONNECTED', [1, 1000], {
        constants: [{ name: 'w', dims: [1000, 1000], type: 'INT8', scales: [1], data: filled(1_000_000) }],
      }),
    format(/node "t\d+" \(FULLY_CONNECTED\): makes constants far larger than the file/),
  ],
  '5,000 weights in one buffer': [
    () => {
      const data = filled(1_000_000);
      const dims = [1000, 1, 1, 1000];
      const stored = { type: 'INT8', scales: [1] } as const;
      const constants = Array.from({ length: 5000 }, (_, i) => ({ name: `w${i}`, dims, ...stored, data }));
      return chain(5000, 'CONV_2D', [1, 1, 1, 1000], { constants, options: convOptions(), constantOf: (i) => i });
    },
    format(/tensor "w\d" makes constants far larger than the file/),
  ],
  'a million amounts of padding, all zero, 5,000 times': [
    () =>
      chain(5000, 'PAD', [1, 4, 4, 4], {
        constants: [{ name: 'p', dims: [1_000_000], type: 'INT8', data: filled(1_000_000) }],
      }),
    format(/node "t0" \(PAD\): has 1000000 amounts of padding for \[1,4,4,4\]/),
  ],
  'a mean over a million axes': [
    () => one('MEAN', [{ name: 'a', dims: [1_000_000], type: 'INT8', data: filled(1_000_000, 1) }]),
    format(/node "y" \(MEAN\): takes the mean over 1000000 axes of \[1,4,4,4\]/),
  ],
  'a size of a million numbers': [
    () => one('RESIZE_BILINEAR', [{ name: 's', dims: [1_000_000], type: 'INT8', data: filled(1_000_000, 1) }]),
    format(/node "y" \(RESIZE_BILINEAR\): has a size of 1000000 numbers/),
  ],
  'channels doubled forty times': [
    () => {
      const names = Array.from({ length: 40 }, (_, i) => (i === 39 ? 'y' : `t${i}`));
      return tfliteFile({
        tensors: [x, ...names.map((name) => ({ name, dims: [] }))],
        operators: names.map((output, i) => ({
          op: 'CONCATENATION',
          inputs: [i, i],
          output,
          options: { 0: 3, 1: ['byte', 0] },
        })),
      });
    },
    format(/\(CONCATENATION, .*sizes are damaged or do not fit/),
  ],

  // Sizes
  'an input of zero rows': [
    () => one('RELU', [], {}, { dims: [1, 0, 4, 4] }),
    format(/input "x" has the shape \[1,0,4,4\]/),
  ],
  'an input of −7 rows': [
    () => one('RELU', [], {}, { dims: [1, -7, 4, 4] }),
    format(/input "x" has the shape \[1,-7,4,4\]/),
  ],
  'an input of 2⁴⁸ pixels': [
    () => one('RELU', [], {}, { dims: [1, 2 ** 24, 2 ** 24, 3] }),
    format(/input "x" has the shape \[1,16777216,16777216,3\]/),
  ],
  'an input of five dimensions': [
    () => one('RELU', [], {}, { dims: [1, 1, 4, 4, 4] }),
    format(/input "x" has 5 dimensions, expected one to four/),
  ],
  'an input without dimensions': [
    () => one('RELU', [], {}, { dims: [] }),
    format(/input "x" has 0 dimensions, expected one to four/),
  ],
  'weights whose product passes 2⁵³': [
    () => conv(convOptions(), { dims: [2 ** 30, 2 ** 30, 3, 4] }),
    format(/tensor "w" has the shape \[1073741824,1073741824,3,4\], of more than 2³¹ elements/),
  ],
  'weights of −2 outputs': [
    () => conv(convOptions(), { dims: [-2, 3, 3, -4] }),
    format(/tensor "w" has the shape \[-2,3,3,-4\], expected whole numbers ≥ 0/),
  ],
  'weights of more elements than bytes': [
    () => conv(convOptions(), { dims: [2, 3, 3, 5] }),
    format(/tensor "w" is \[2,3,3,5\] of FLOAT32 and has 288 bytes, expected 360/),
  ],
  'weights of nothing': [
    () => one('FULLY_CONNECTED', [{ name: 'w', dims: [4, 0], data: new Uint8Array(0) }], {}, { dims: [1, 4] }),
    format(/input 1 of operator 0 \(FULLY_CONNECTED\) is tensor "w", which nothing before it computes/),
  ],
  'weights of strings': [
    () => conv(convOptions(), { type: 'STRING' }),
    format(/tensor "w" is a constant of STRING, which this engine does not read/),
  ],
  'weights for other channels': [
    () => conv(convOptions(), { dims: [2, 3, 4, 3] }),
    format(/node "y" \(CONV_2D\): has weights of \[2,3,4,3\] for an input of \[1,4,4,4\]/),
  ],
  'weights that are no whole rows of the input': [
    () => one('FULLY_CONNECTED', [{ name: 'w', dims: [1, 3], data: f32(1, 2, 3) }], {}, { dims: [1, 4] }),
    format(/node "y" \(FULLY_CONNECTED\): cannot reshape \[1,4\] to \[1\.3+,3\]/),
  ],
  'a bias of three for two outputs': [
    () =>
      one(
        'CONV_2D',
        [
          { name: 'w', dims: [2, 1, 1, 4], data: f32(...randomValues(8, 1)) },
          { name: 'b', dims: [3], data: f32(1, 2, 3) },
        ],
        convOptions(),
      ),
    format(/node "y" \(CONV_2D\): has 3 biases for 2 outputs/),
  ],
  'a bias of three for one product': [
    () =>
      one(
        'FULLY_CONNECTED',
        [
          { name: 'w', dims: [1, 4], data: f32(1, 2, 3, 4) },
          { name: 'b', dims: [3], data: f32(1, 2, 3) },
        ],
        {},
        { dims: [1, 4] },
      ),
    format(/node "y" \(fully-connected\): bias has 3 values, expected 1/),
  ],
  'options of another operator': [
    () => {
      const weights = { name: 'w', dims: [1, 3, 3, 4], data: f32(...randomValues(36, 1)) };
      const options = convOptions();
      return tfliteFile({
        tensors: [x, weights, y],
        operators: [{ op: 'DEPTHWISE_CONV_2D', inputs: ['x', 'w'], output: 'y', options, optionsType: 1 }],
      });
    },
    format(/node "y" \(DEPTHWISE_CONV_2D\): has options of the type 1 in BuiltinOptions, expected 2/),
  ],
  'a stride of zero': [
    () => conv(convOptions({ 1: 0 })),
    format(/node "y" \(CONV_2D\): has the stride 1 × 0, expected 1 to/),
  ],
  'a stride left out, which is zero': [
    () => conv(convOptions({ 1: null, 2: null })),
    format(/node "y" \(CONV_2D\): has the stride 0 × 0/),
  ],
  'no options at all': [() => conv(null), format(/node "y" \(CONV_2D\): has the stride 0 × 0/)],
  'a negative stride': [() => conv(convOptions({ 2: -1 })), format(/\(CONV_2D\): has the stride -1 × 1/)],
  'a dilation of zero': [() => conv(convOptions({ 4: 0 })), format(/\(CONV_2D\): has the dilation 1 × 0/)],
  'a dilation of 2³¹ − 1': [
    () => conv(convOptions({ 5: 2 ** 31 - 1 })),
    format(/\(CONV_2D\): has the dilation 2147483647 × 1, expected 1 to 4096/),
  ],
  'a window of zero': [
    () => one('AVERAGE_POOL_2D', [], { 0: ['byte', 0], 1: 1, 2: 1, 3: 0, 4: 0 }),
    format(/node "y" \(AVERAGE_POOL_2D\): has the window 0 × 0/),
  ],
  'a window larger than the picture': [
    () => one('AVERAGE_POOL_2D', [], { 0: ['byte', 1], 1: 1, 2: 1, 3: 5, 4: 5 }),
    format(/node "y" \(AVERAGE_POOL_2D, .* has the shape \[1,0,0,4\]/),
  ],
  'a padding that is none of two': [
    () => conv(convOptions({ 0: ['byte', 7] })),
    format(/\(CONV_2D\): has the padding 7, expected 0 \(SAME\) or 1 \(VALID\)/),
  ],
  'an activation that does not exist': [
    () => conv(convOptions({ 3: ['byte', -3] })),
    unsupported(/\(CONV_2D\): fuses the activation -3/),
  ],
  'a size of 2³¹ − 1': [
    () => one('RESIZE_BILINEAR', [{ name: 's', dims: [2], type: 'INT32', data: i32(2 ** 31 - 1, 1) }]),
    format(/node "y" \(RESIZE_BILINEAR, .*sizes are damaged or do not fit/),
  ],
  'a negative size': [
    () => one('RESIZE_BILINEAR', [{ name: 's', dims: [2], type: 'INT32', data: i32(-8, 8) }]),
    format(/node "y" \(RESIZE_BILINEAR, .* has the shape \[1,-8,8,4\]/),
  ],
  'negative padding': [
    () => one('PAD', [{ name: 'p', dims: [4, 2], type: 'INT32', data: i32(0, 0, -1, 0, 0, 0, 0, 0) }]),
    unsupported(/node "y" \(PAD\): pads \[1,4,4,4\] by \[0,0,-1,0,0,0,0,0\]/),
  ],
  'a reshape to fewer elements': [
    () => one('RESHAPE', [], {}, {}, { dims: [1, 60] }),
    format(/node "y" \(RESHAPE\): cannot reshape \[1,4,4,4\] to \[1,60\]/),
  ],
  'a reshape to two negative dimensions': [
    () => one('RESHAPE', [], {}, {}, { dims: [-1, -64] }),
    format(/node "y" \(RESHAPE\): cannot reshape \[1,4,4,4\] to \[-1,-64\]/),
  ],
  'a mean over the ninth axis': [
    () => one('MEAN', [{ name: 'a', dims: [1], type: 'INT32', data: i32(9) }]),
    format(/node "y" \(MEAN\): takes the mean over 9 of \[1,4,4,4\]/),
  ],
  'a joint along the seventh axis': [
    () => one('CONCATENATION', [], { 0: 7 }),
    format(/node "y" \(CONCATENATION\): joins along dimension 7 of 4/),
  ],

  // Quantisation and values
  'a scale of zero': [() => quantised({ scales: [0] }), format(/tensor "w" has the quantisation scale 0, expected/)],
  'a negative scale': [() => quantised({ scales: [-0.5] }), format(/tensor "w" has the quantisation scale -0\.5/)],
  'a scale that is no number': [
    () => quantised({ scales: [NaN] }),
    format(/tensor "w" has the quantisation scale NaN/),
  ],
  'an infinite scale': [
    () => quantised({ scales: [Infinity] }),
    format(/tensor "w" has the quantisation scale Infinity/),
  ],
  'a scale that makes weights infinite': [
    () => quantised({ scales: [3e38] }),
    format(/node "y" \(CONV_2D\): weights\[0\] is Infinity, expected finite numbers/),
  ],
  'a zero point outside its type': [
    () => quantised({ zeroPoints: [300] }),
    format(/tensor "w" has the zero point 300 in INT8, expected -128 to 127/),
  ],
  'a negative zero point of bytes': [
    () => one('RELU', [], {}, { type: 'UINT8', scales: [1], zeroPoints: [-1] }),
    format(/tensor "x" has the zero point -1 in UINT8, expected 0 to 255/),
  ],
  'a zero point of 2⁶²': [
    () => quantised({ zeroPoints: [2 ** 62] }),
    format(/tensor "w" has the zero point 4611686018427388000 in INT8/),
  ],
  'two scales and three zero points': [
    () => quantised({ scales: [1, 1], zeroPoints: [0, 0, 0] }),
    format(/tensor "w" has 2 scales and 3 zero points/),
  ],
  'scales along the ninth axis': [
    () => quantised({ scales: [1, 1], zeroPoints: [0, 0], axis: 9 }),
    format(/tensor "w" is \[2,3,3,4\] and has 2 scales along dimension 9/),
  ],
  'scales along axis −1': [
    () => quantised({ scales: [1, 1], zeroPoints: [0, 0], axis: -1 }),
    format(/tensor "w" is \[2,3,3,4\] and has 2 scales along dimension -1/),
  ],
  'fewer scales than channels': [
    () => quantised({ scales: [1, 1], zeroPoints: [0, 0], axis: 1 }),
    format(/tensor "w" is \[2,3,3,4\] and has 2 scales along dimension 1/),
  ],
  'a weight that is no number': [
    () => conv(convOptions(), { data: f32(...new Array(71).fill(1), NaN) }),
    format(/node "y" \(CONV_2D\): weights\[71\] is NaN, expected finite numbers/),
  ],
  'a bound that is no number': [
    () => one('MAXIMUM', [{ name: 'b', dims: [], data: f32(NaN) }]),
    format(/node "y" \(MAXIMUM\): clips to NaN/),
  ],
  'a temperature that is no number': [
    () => one('SOFTMAX', [], { 0: ['float', NaN] }),
    unsupported(/node "y" \(SOFTMAX\): has beta NaN, expected 1/),
  ],

  // How tensors and operators hang together
  'operators in the wrong order': [
    () =>
      tfliteFile({
        tensors: [x, { ...x, name: 't' }, y],
        operators: [
          { op: 'RELU', inputs: ['t'], output: 'y' },
          { op: 'RELU', inputs: ['x'], output: 't' },
        ],
      }),
    format(/input 0 of operator 0 \(RELU\) is tensor "t", which nothing before it computes/),
  ],
  'a cycle': [
    () =>
      tfliteFile({
        tensors: [x, { ...x, name: 't' }, y],
        operators: [
          { op: 'ADD', inputs: ['x', 'y'], output: 't' },
          { op: 'RELU', inputs: ['t'], output: 'y' },
        ],
      }),
    format(/input 1 of operator 0 \(ADD\) is tensor "y", which nothing before it computes/),
  ],
  'an operator that reads what it writes': [
    () => tfliteFile({ tensors: [x, y], operators: [{ op: 'RELU', inputs: ['y'], output: 'y' }] }),
    format(/input 0 of operator 0 \(RELU\) is tensor "y", which nothing before it computes/),
  ],
  'a tensor written twice': [
    () =>
      tfliteFile({
        tensors: [x, y],
        operators: [
          { op: 'RELU', inputs: ['x'], output: 'y' },
          { op: 'SOFTMAX', inputs: ['x'], output: 'y' },
        ],
      }),
    format(/node "y" \(SOFTMAX\): writes a tensor that is an input, a constant or written before \(operator 1/),
  ],
  'an input that is written': [
    () => relu({ operators: [{ op: 'RELU', inputs: ['x'], output: 'x' }], outputs: ['x'] }),
    format(/node "x" \(RELU\): writes a tensor that is an input, a constant or written before \(operator 0/),
  ],
  'a constant that is written': [
    () => relu({ tensors: [x, { ...y, data: filled(256) }] }),
    format(/node "y" \(RELU\): writes a tensor that is an input, a constant or written before/),
  ],
  'no inputs': [
    () => relu({ inputs: [] }),
    format(/input 0 of operator 0 \(RELU\) is tensor "x", which nothing before it computes/),
  ],
  'an input that is no tensor': [() => relu({ inputs: [7] }), format(/an input is tensor 7, and there are 2/)],
  'an output that is no tensor': [() => relu({ outputs: [-1] }), format(/an output is tensor -1, and there are 2/)],
  'no outputs': [() => relu({ outputs: [] }), format(/has no outputs/)],
  'one output twice': [() => relu({ outputs: ['y', 'y'] }), format(/has two outputs named "y"/)],
  'two inputs of one name': [() => relu({ tensors: [x, x, y], inputs: [0, 1] }), format(/has two inputs named "x"/)],
  'an output that is a constant': [
    () => relu({ tensors: [x, { ...y, data: filled(256) }], operators: [] }),
    format(/output "y" is a constant: it does not depend on any input/),
  ],
  '900 outputs that are constants in one buffer': [
    () => {
      const data = filled(1_000_000);
      const tensors = Array.from(
        { length: 900 },
        (_, i) => ({ name: `w${i}`, dims: [1_000_000], type: 'INT8', data }) as const,
      );
      return tfliteFile({ tensors, operators: [], inputs: [], outputs: tensors.map((_, i) => i) });
    },
    format(/tensor "w\d" makes constants far larger than the file/),
  ],
  'an operator without inputs': [
    () => tfliteFile({ tensors: [x, y], operators: [{ op: 'ADD', inputs: ['x'], output: 'y' }] }),
    format(/node "y" \(ADD\): has 1 inputs, expected more/),
  ],
  'an operand that is no tensor': [
    () => tfliteFile({ tensors: [x, y], operators: [{ op: 'ADD', inputs: ['x', 99], output: 'y' }] }),
    format(/input 1 of operator 0 \(ADD\) is tensor 99, and there are 2/),
  ],
  'a code that is not there': [() => relu({ root: { 1: null } }), format(/operator 0 has the code 0, and there are 0/)],
  'an operator that nobody knows': [
    () => one(9999, []),
    unsupported(/node "y" \(builtin operator 9999\): this engine does not run it/),
  ],
  'a buffer that is not there': [
    () => conv(convOptions(), { buffer: 99 }),
    format(/tensor "w" is in buffer 99, and there are 1/),
  ],
  'metadata of nothing': [() => described(new Uint8Array(0)), format(/\(metadata\): ends after 0 bytes/)],
  'a mean that is no number': [
    () => described(normalisation([NaN], [1])),
    format(/\(metadata\): normalises by the mean \[NaN\]/),
  ],
  'a deviation of zero': [
    () => described(normalisation([0, 0, 0], [1, 0, 1])),
    format(/\(metadata\): normalises by the mean \[0,0,0\] and the deviation \[1,0,1\]/),
  ],
};

test('an ordinary model, so that what follows is measured without the modules', async () => {
  for (const bytes of [relu(), conv(), quantised({}), chain(3, 'RELU', [1, 4, 4, 4], {})]) {
    expect(await errorOf(bytes)).toBeNull();
  }
});

describe('damaged and hostile TensorFlow Lite', () => {
  for (const [name, [bytes, expected]] of Object.entries(cases)) test(name, () => refused(bytes(), expected));
});

test('tensors of one name: the graph tells them apart, a caller who names them is told', async () => {
  const t = { ...x, name: 't' };
  const bytes = tfliteFile({
    tensors: [x, t, t, y],
    operators: [
      { op: 'RELU', inputs: ['x'], output: 't' },
      { op: 'SOFTMAX', inputs: [1], output: 2 },
      { op: 'ADD', inputs: [1, 2], output: 'y', options: {} },
    ],
  });
  const graph = await loadGraph({ name: 'm.tflite', bytes });
  expect(graph.nodes.map(({ op, inputs, output }) => [op, ...inputs, output])).toEqual([
    ['activation', 'x', 't'],
    ['softmax', 't', 't#2'],
    ['add', 't', 't#2', 'y'],
  ]);
  const cut = loadGraph({ name: 'm.tflite', bytes }, { outputs: ['t'] });
  await expect(cut).rejects.toThrow(UsageError);
  await expect(cut).rejects.toThrow(/^m\.tflite has two tensors named "t"/);
});

/** All that a file may have: constants of three types, quantisation, options, metadata. */
const everything = () =>
  tfliteFile({
    tensors: [
      { ...x, dims: [1, 4, 4, 3] },
      {
        name: 'w',
        dims: [2, 3, 3, 3],
        type: 'INT8',
        data: filled(54, 5),
        scales: [0.5, 2],
        zeroPoints: [1, 2],
      },
      { name: 'b', dims: [2], data: f32(1, 2) },
      { name: 'c', dims: [1, 2, 2, 2] },
      { name: 's', dims: [2], type: 'INT32', data: i32(8, 8) },
      { name: 'r', dims: [1, 8, 8, 2] },
      { name: 'a', dims: [2], type: 'INT32', data: i32(1, 2) },
      { name: 'm', dims: [1, 2] },
      { name: 'y', dims: [2, 1] },
    ],
    operators: [
      { op: 'CONV_2D', inputs: ['x', 'w', 'b'], output: 'c', options: convOptions({ 1: 2, 2: 2, 3: ['byte', 1] }) },
      { op: 'RESIZE_BILINEAR', inputs: ['c', 's'], output: 'r', options: { 2: ['byte', 0], 3: ['byte', 1] } },
      { op: 'MEAN', inputs: ['r', 'a'], output: 'm', options: { 0: ['byte', 0] } },
      { op: 'RESHAPE', inputs: ['m'], output: 'y' },
    ],
    metadata: normalisation([127.5], [127.5]),
  });

test('a small file cut at any byte: a typed error that names it', async () => {
  const bytes = everything();
  expect(await errorOf(bytes)).toBeNull();
  for (let length = 8; length < bytes.length; length++) {
    const error = await errorOf(bytes.slice(0, length));
    expect(error, `${length} bytes`).toBeInstanceOf(MobileNetError);
    expect((error as Error).message).toMatch(/^m\.tflite/);
  }
});

test('any byte of a file altered: a graph or a typed error', async () => {
  const bytes = everything();
  const random = randomValues(bytes.length * 3, 9, 0, 256);
  let errors = 0;
  for (let i = 0; i < random.length; i++) {
    const copy = bytes.slice();
    copy[i % bytes.length] = random[i]!;
    const error = await errorOf(copy);
    if (error) expect(error, `byte ${i % bytes.length}: ${random[i]}`).toBeInstanceOf(MobileNetError);
    if (error) errors++;
  }
  expect(errors).toBeGreaterThan(bytes.length / 4);
});
