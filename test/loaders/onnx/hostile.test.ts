/** ONNX files made to harm: each ends in a typed error that names the place, within seconds and 100 MB. */
import { PbfWriter } from 'pbf';
import { describe, expect, test } from 'vitest';
import { MobileNetError } from '../../../src/errors.ts';
import { loadGraph, type ModelFiles } from '../../../src/loaders/index.ts';
import { cheaply } from '../../support/cost.ts';
import {
  type AttributeSpec,
  type GraphSpec,
  type ModelSpec,
  type NodeSpec,
  type TensorSpec,
  writeOnnx,
} from '../../support/onnx-writer.ts';
import { randomValues } from '../../support/oracles.ts';

type Expected = readonly [code: 'model-format' | 'unsupported-op', message: RegExp];

async function errorOf(files: ModelFiles): Promise<unknown> {
  try {
    await loadGraph(files);
    return null;
  } catch (error) {
    return error;
  }
}

async function refused(files: Omit<ModelFiles, 'name'>, [code, message]: Expected): Promise<void> {
  const error = await cheaply(() => errorOf({ name: 'm.onnx', ...files }));
  expect(error).toBeInstanceOf(MobileNetError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}

const x = { name: 'x', type: 'float', dims: [1, 4, 4, 4] } as const;
const model = (nodes: readonly NodeSpec[], more: Partial<ModelSpec> = {}) =>
  writeOnnx({ nodes, inputs: [x], outputs: [{ name: 'y' }], ...more });
const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: NonNullable<NodeSpec['attributes']> = {},
): NodeSpec => ({ op, inputs, outputs: [output], attributes });
const ints = (...values: number[]): AttributeSpec => ({ ints: values });
const int64 = (...values: number[]): TensorSpec => ({ dims: [values.length], type: 'int64', values });
/** A tensor of bytes, all alike. */
const filled = (dims: readonly number[], value: number): TensorSpec => ({
  dims,
  type: 'int8',
  raw: new Uint8Array(dims.reduce((a, b) => a * b, 1)).fill(value),
});
/** `count` nodes one after the other, from x to y. */
const chain = (count: number, make: (from: string, to: string) => NodeSpec) =>
  Array.from({ length: count }, (_, i) => make(i === 0 ? 'x' : `t${i}`, i === count - 1 ? 'y' : `t${i + 1}`));

const conv = (attributes: NonNullable<NodeSpec['attributes']>, weights: readonly number[] = [2, 4, 3, 3]) =>
  model([{ ...node('Conv', ['x', 'w'], 'y', attributes), name: 'c' }], {
    initializers: {
      w: {
        dims: weights,
        values: randomValues(
          weights.reduce((a, b) => a * b, 1),
          1,
        ),
      },
    },
  });

/** Runs `nodes` in a loop of `rounds`, which carries `v`; `big` holds a million elements. */
const loop = (rounds: number, nodes: readonly NodeSpec[], body: Partial<GraphSpec> = {}) =>
  model(
    [
      { op: 'Constant', outputs: ['rounds'], attributes: { value_int: { int: rounds } } },
      { op: 'Constant', outputs: ['start'], attributes: { value_float: { float: 1 } } },
      node('ConstantOfShape', ['million'], 'big', { value: { tensor: { dims: [1], values: [1] } } }),
      {
        op: 'Loop',
        name: 'l',
        inputs: ['rounds', '', 'start'],
        outputs: ['end'],
        attributes: {
          body: {
            graph: {
              inputs: [{ name: 'i' }, { name: 'go' }, { name: 'v' }],
              nodes: [...nodes, node('Identity', ['v'], 'next')],
              outputs: [{ name: 'go' }, { name: 'next' }],
              ...body,
            },
          },
        },
      },
      node('Add', ['x', 'end'], 'y'),
    ],
    { initializers: { million: int64(1_000_000) } },
  );

/** Bytes of fields as they are given: for what no writer would write. */
function fields(write: (pbf: PbfWriter) => void): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeTag(1, 0);
  pbf.writeVarint(8);
  write(pbf);
  return pbf.finish();
}
const raw = (...bytes: number[]) => Uint8Array.from([0x08, 0x08, ...bytes]);

const format = (message: RegExp): Expected => ['model-format', message];
const unsupported = (message: RegExp): Expected => ['unsupported-op', message];

/** A transposed convolution of `groups`. */
const transposed = (groups: number, weights: readonly number[] = [4, 1, 2, 2]) =>
  model([node('ConvTranspose', ['x', 'w'], 'y', { group: { int: groups } })], {
    initializers: { w: filled(weights, 1) },
  });
/** A split of the channels into as many outputs as there are sizes, or as `count`. */
const split = (sizes: readonly number[], axis = 1, count = sizes.length) =>
  model(
    [
      {
        ...node('Split', ['x', 'sizes'], 'y', { axis: { int: axis } }),
        outputs: ['y', ...Array.from({ length: count - 1 }, (_, i) => `y${i}`)],
      },
    ],
    { initializers: { sizes: int64(...sizes) } },
  );
/** A reshape to five dimensions. */
const apart = (...dims: number[]) =>
  model([node('Reshape', ['x', 's'], 'a'), node('Relu', ['a'], 'y')], { initializers: { s: int64(...dims) } });
/** x divided by its norm. */
const norm = (
  attributes: NonNullable<NodeSpec['attributes']>,
  rest: readonly NodeSpec[] = [node('Div', ['x', 'n'], 'y')],
) =>
  model([node('ReduceL2', ['x'], 'n', attributes), ...rest], {
    initializers: { nan: { dims: [], values: [Number.NaN] } },
  });

const cases: Readonly<Record<string, readonly [bytes: () => Uint8Array, expected: Expected]>> = {
  // Too much of everything
  'nodes with attributes': [
    () =>
      model(chain(100_000, (from, to) => node('Relu', [from], to, { a: { int: 1 }, b: { int: 2 }, c: { int: 3 } }))),
    format(/more than 300000 messages \(at byte \d+/),
  ],
  'two million empty tensors': [
    () => {
      const tensors = new Uint8Array(4_000_000);
      for (let i = 0; i < tensors.length; i += 2) tensors[i] = 0x2a;
      return fields((pbf) => {
        pbf.writeTag(7, 2);
        pbf.writeBytes(tensors);
      });
    },
    format(/more than 300000 messages/),
  ],
  'a hundred thousand tensors of one name': [
    () =>
      model(
        chain(1, (from, to) => node('Relu', [from], to)),
        {
          initializers: Array.from({ length: 100_000 }, () => ['w', { dims: [1], values: [1] }] as const),
        },
      ),
    format(/two initializers named "w"/),
  ],
  'a node of 5,000 inputs': [
    () => model([node('Sum', new Array(5000).fill('x'), 'y')]),
    format(/a node has more than 4096 inputs/),
  ],
  'a name of a megabyte': [
    () => model([node('Relu', ['x'], 'y'), node('Relu', ['x'], 'n'.repeat(1_000_000))]),
    format(/a string has 1000000 bytes, expected at most 65536/),
  ],
  'inputs for each of 5,000 additions': [
    () =>
      model(
        chain(5000, (from, to) => node('Add', [from, `i${to}`], to)),
        {
          inputs: [
            x,
            ...chain(5000, (_, to) => node('', [], `i${to}`)).map(({ outputs: [name] }) => ({ ...x, name: name! })),
          ],
        },
      ),
    format(/has 5001 inputs, expected at most 100/),
  ],
  'a cycle of 100,000 nodes': [
    () =>
      model([
        ...chain(99_999, (from, to) => node('Add', [from === 'x' ? 'z' : from, 'x'], to)),
        node('Relu', ['t99998'], 'z'),
      ]),
    format(/has a cycle: node \d+/),
  ],
  'channels doubled forty times': [
    () => model(chain(40, (from, to) => node('Concat', [from, from], to))),
    format(/\(Concat, .*sizes are damaged or do not fit/),
  ],
  'one weight in 5,000 convolutions': [
    () =>
      model(
        chain(5000, (from, to) => node('Conv', [from, 'w'], to)),
        { inputs: [{ ...x, dims: [1, 1000, 1, 1] }], initializers: { w: filled([1000, 1000, 1, 1], 1) } },
      ),
    format(/\(Conv\): makes constants far larger than the file/),
  ],
  'one weight in 5,000 products': [
    () =>
      model(
        chain(5000, (from, to) => node('MatMul', [from, 'w'], to)),
        { inputs: [{ ...x, dims: [1, 1000] }], initializers: { w: filled([1000, 1000], 1) } },
      ),
    format(/\(MatMul\): makes constants far larger than the file/),
  ],
  '5,000 pictures of 65,536 pixels a side': [
    () =>
      model(
        chain(5000, (from, to) => node('Resize', [from, '', '', 's'], to)),
        { inputs: [{ ...x, dims: [1, 1, 1, 1] }], initializers: { s: int64(1, 1, 30_000, 30_000) } },
      ),
    format(/\(Resize\): makes constants far larger than the file/),
  ],
  '5,000 gathers of the same million elements': [
    () =>
      model(
        [
          node('Range', ['zero', 'end', 'one'], 'all'),
          ...chain(5000, (from, to) => node('Gather', [from, 'all'], to, { axis: { int: 1 } })),
        ],
        {
          inputs: [{ ...x, dims: [1, 1_000_000] }],
          initializers: {
            zero: { dims: [], type: 'int64', values: [0] },
            end: { dims: [], type: 'int64', values: [1_000_000] },
            one: { dims: [], type: 'int64', values: [1] },
          },
        },
      ),
    format(/\(Gather\): makes constants far larger than the file/),
  ],

  // Loops
  'a loop that multiplies a million elements each round': [
    () => loop(1e9, [node('ReduceProd', ['big'], 'p', { keepdims: { int: 0 } })]),
    format(/node "l" \(Loop\): takes too many steps/),
  ],
  'a loop that converts a million elements each round': [
    () => loop(1e9, [node('Cast', ['big'], 'p', { to: { int: 7 } })]),
    format(/node "l" \(Loop\): takes too many steps|far larger than the file/),
  ],
  'a loop that reads its constant again each round': [
    () => loop(1e9, [{ op: 'Constant', outputs: ['c'], attributes: { value: { tensor: filled([100_000], 1) } } }]),
    format(/node "l" \(Loop\): takes too many steps/),
  ],
  'loops in loops': [
    () => {
      let body: GraphSpec = {
        inputs: [{ name: 'i' }, { name: 'go' }, { name: 'v' }],
        nodes: [],
        outputs: [{ name: 'go' }, { name: 'v' }],
      };
      for (let k = 0; k < 6; k++) {
        body = {
          ...body,
          nodes: [{ op: 'Loop', inputs: ['rounds', '', 'v'], outputs: ['n'], attributes: { body: { graph: body } } }],
        };
      }
      return loop(1e9, [], body);
    },
    format(/node "l" \(Loop\): takes too many steps/),
  ],

  // Ranks and sizes
  'a shape of a million dimensions': [
    () => model([node('Reshape', ['x', 's'], 'y')], { initializers: { s: int64(...new Array(100_000).fill(1)) } }),
    format(/\(Reshape\): has 100000 dimensions, expected at most 16/),
  ],
  'a tensor of a hundred thousand dimensions': [
    () =>
      model([node('Add', ['x', 'w'], 'y')], { initializers: { w: { dims: new Array(100_000).fill(1), values: [1] } } }),
    format(/tensor "w" at byte \d+ has 100000 dimensions/),
  ],
  'a hundred thousand dimensions added': [
    () =>
      model([node('Unsqueeze', ['x'], 'y', { axes: ints(...Array.from({ length: 100_000 }, (_, i) => i)) })], {
        opset: 11,
      }),
    format(/\(Unsqueeze\): has 100004 dimensions/),
  ],
  'a hundred thousand axes squeezed': [
    () => model([node('Squeeze', ['x'], 'y', { axes: ints(...new Array(100_000).fill(0)) })], { opset: 11 }),
    format(/\(Squeeze\): names 100000 axes of a tensor of 4 dimensions/),
  ],
  'a hundred thousand cuts': [
    () =>
      model(
        [
          node('Slice', ['x'], 'y', {
            starts: ints(...new Array(100_000).fill(0)),
            ends: ints(...new Array(100_000).fill(9)),
          }),
        ],
        { opset: 9 },
      ),
    format(/\(Slice\): cuts 100000 of 4 dimensions/),
  ],
  'dimensions whose product passes 2⁵³': [
    () =>
      model([node('Add', ['x', 'w'], 'y')], { initializers: { w: { dims: [2 ** 52, 4], raw: new Uint8Array(16) } } }),
    format(/tensor "w" at byte \d+ has the shape/),
  ],
  'an input of 2⁴⁸ pixels': [
    () => model([node('Relu', ['x'], 'y')], { inputs: [{ ...x, dims: [1, 3, 2 ** 24, 2 ** 24] }] }),
    format(/input "x" has the shape/),
  ],
  'pads beyond 2⁵³': [() => conv({ pads: ints(0, 0, 2 ** 60, 0) }), unsupported(/node "c" \(Conv\): pads is/)],
  'pads of a billion': [() => conv({ pads: ints(0, 0, 2 ** 30, 0) }), format(/node "c" \(Conv, .*sizes are damaged/)],
  'negative pads': [() => conv({ pads: ints(0, 0, -1, 0) }), unsupported(/node "c" \(Conv\): pads is \[0,0,-1,0\]/)],
  'a negative dilation': [() => conv({ dilations: ints(-1, 1) }), format(/node "c" \(Conv\): dilations is \[-1,1\]/)],
  'a dilation of 2⁴⁰': [() => conv({ dilations: ints(2 ** 40, 1) }), format(/node "c" \(Conv, .*sizes are damaged/)],
  'a kernel that is not that of the weights': [
    () => conv({ kernel_shape: ints(5, 5) }),
    format(/node "c" \(Conv\): kernel_shape is \[5,5\], the weights are \[2,4,3,3\]/),
  ],

  // Groups, parts of channels, norms, indices
  ...Object.fromEntries(
    [0, -1, 3, 2 ** 40].map((groups) => [
      `${groups} groups of a transposed convolution`,
      [() => transposed(groups), format(/\(ConvTranspose\): has -?\d+ groups and weights of/)],
    ]),
  ),
  'a transposed convolution with weights of other channels': [
    () => transposed(2, [6, 1, 2, 2]),
    format(/\(ConvTranspose\): has 2 groups and weights of \[6,1,2,2\] for an input of \[1,4,4,4\]/),
  ],
  'groups whose zeros fill the memory': [
    () =>
      model([node('ConvTranspose', ['x', 'w'], 'y', { group: { int: 4096 } })], {
        inputs: [{ ...x, dims: [1, 4096, 1, 1] }],
        initializers: { w: filled([4096, 64, 2, 2], 0) },
      }),
    format(/\(ConvTranspose\): /),
  ],
  ...Object.fromEntries(
    [
      [1, 2],
      [4, 4],
      [5, -1],
      [0, 4],
      [2 ** 53, 4],
    ].map((sizes) => [
      `a split into ${sizes}`,
      [() => split(sizes), format(/\(Split\): splits dimension 1 of \[1,4,4,4\] into 2 parts/)],
    ]),
  ),
  'a split into more outputs than sizes': [
    () => split([2, 2], 1, 3),
    format(/\(Split\): splits dimension 1 .* 3 parts/),
  ],
  'a split along a dimension that is not there': [() => split([2, 2], 4), format(/\(Split\): /)],
  'a split into a hundred thousand': [() => split(new Array(100_000).fill(1)), format(/a node has more/)],
  'parts whose weights fill the memory': [
    () =>
      model([node('Slice', ['x', 'from', 'to', 'axis'], 'y')], {
        inputs: [{ ...x, dims: [1, 2 ** 20, 1, 1] }],
        initializers: { from: int64(1), to: int64(2 ** 20), axis: int64(1) },
      }),
    format(/\(Slice\): /),
  ],
  'parts of nothing': [
    () =>
      model([node('Slice', ['x', 'from', 'to', 'axis'], 'y')], {
        initializers: { from: int64(3), to: int64(2), axis: int64(1) },
      }),
    unsupported(/\(Slice\): takes a part of/),
  ],
  'five dimensions that are no parts of the axes': [
    () => apart(1, 8, 2, 2, 2),
    unsupported(/\(Reshape\): makes a tensor of five/),
  ],
  'five dimensions of other elements': [() => apart(1, 2, 3, 4, 4), format(/\(Reshape\): cannot reshape/)],
  'six dimensions': [() => apart(2, 2, 2, 2, 2, 2), unsupported(/\(Reshape\): makes a tensor of five/)],
  'a norm along a dimension that is not there': [() => norm({ axes: ints(7) }), format(/\(Div\): /)],
  'a norm along too many': [
    () => norm({ axes: ints(...new Array(100_000).fill(1)) }),
    unsupported(/\(Div\): works along/),
  ],
  'a norm bounded by what is no number': [
    () => norm({ axes: ints(1) }, [node('Max', ['n', 'nan'], 'm'), node('Div', ['x', 'm'], 'y')]),
    unsupported(/\(ReduceL2\): the operation is not one/),
  ],
  'a norm of its own quotient': [
    () => model([node('ReduceL2', ['y'], 'n', { axes: ints(1) }), node('Div', ['y', 'n'], 'y')]),
    format(/cycle/),
  ],
  'an index of itself': [
    () => model([node('Cast', ['y'], 'y', { to: { int: 1 } }), node('ArgMax', ['x'], 'a')]),
    format(/cycle/),
  ],
  'an index of nothing': [() => model([node('ArgMax', [], 'y')]), unsupported(/\(ArgMax\): /)],
  'an index in the middle': [
    () => model([node('ArgMax', ['x'], 'a'), node('Relu', ['a'], 'y')]),
    unsupported(/\(ArgMax\): the operation is not one/),
  ],

  // Values
  'an infinite weight': [
    () =>
      model([node('MatMul', ['x', 'w'], 'y')], {
        inputs: [{ ...x, dims: [1, 4] }],
        initializers: { w: { dims: [4, 1], values: [1, 2, Infinity, 4] } },
      }),
    format(/\(MatMul\): weights\[2\] is Infinity, expected finite numbers/),
  ],
  'limits in the wrong order': [
    () => model([node('Clip', ['x'], 'y', { min: { float: 6 }, max: { float: 0 } })], { opset: 10 }),
    format(/\(Clip\): clips to 6 … 0/),
  ],
  'a limit that is no number': [
    () => model([node('Clip', ['x'], 'y', { min: { float: Number.NaN } })], { opset: 10 }),
    format(/\(Clip\): clips to NaN/),
  ],
  'an epsilon that is no number': [
    () =>
      model([node('BatchNormalization', ['x', 's', 's', 's', 's'], 'y', { epsilon: { float: Number.NaN } })], {
        initializers: { s: { dims: [4], values: [1, 1, 1, 1] } },
      }),
    format(/\(BatchNormalization\): has the variance 1 in channel 0 and epsilon NaN/),
  ],
  'a slope that is no number': [
    () => model([node('HardSigmoid', ['x'], 'y', { alpha: { float: Number.NaN } })]),
    format(/\(HardSigmoid\): scale\[0\] is NaN/),
  ],

  // Bytes
  'a graph that claims 2⁶³ bytes': [
    () => raw(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
    format(/graph \(GraphProto\) claims \d+ bytes, and 0 are left: truncated or damaged \(at byte 3 of 12\)/),
  ],
  'a number without end': [
    () => raw(0x38, ...new Array(20).fill(0xff)),
    format(/a number at byte 3 does not end|wire type/),
  ],
  'a group, which nobody writes': [() => raw(0x0b, 0x0c), format(/unknown wire type 3 \(at byte 2/)],
  'a tag of 0': [() => raw(0x00), format(/ModelProto has the tag 0, which no field has \(at byte 2/)],
  'a list of floats of seven bytes': [
    () =>
      fields((pbf) =>
        pbf.writeMessage(
          7,
          (_, graph) => graph.writeMessage(5, (_, tensor) => tensor.writeBytesField(4, new Uint8Array(7)), null),
          null,
        ),
      ),
    format(/a list of 4-byte numbers has 7 bytes/),
  ],
};

test('an ordinary model, so that what follows is measured without the modules', async () => {
  await loadGraph({ name: 'm.onnx', bytes: conv({ pads: ints(1, 1, 1, 1) }) });
  for (const bytes of [
    loop(2, []),
    model([node('Resize', ['x', '', '', 's'], 'y')], { initializers: { s: int64(1, 4, 8, 8) } }),
  ]) {
    expect(await errorOf({ name: 'm.onnx', bytes })).toBeNull();
  }
});

describe('hostile ONNX', () => {
  for (const [name, [bytes, expected]] of Object.entries(cases))
    test(name, () => refused({ bytes: bytes() }, expected));

  test('a thousand tensors on the same bytes beside the model', () => {
    const external = { location: 'w.bin', offset: '0', length: '1000000' };
    const names = Array.from({ length: 1000 }, (_, i) => `w${i}`);
    const bytes = model([node('Relu', ['x'], 'y')], {
      initializers: names.map((name) => [name, { dims: [1_000_000], type: 'int8', external }] as const),
    });
    return refused(
      { bytes, read: async () => new Uint8Array(1_000_000) },
      format(/up to "w1" take 2000000 bytes of "w.bin", which has 1000000: they overlap/),
    );
  });
});

test('any byte of a file with loops, quantised tensors and a resize altered: a graph or a typed error', async () => {
  const bytes = writeOnnx({
    nodes: [
      node('QuantizeLinear', ['x', 's', 'z'], 'q'),
      node('DequantizeLinear', ['q', 's', 'z'], 'd'),
      node('Resize', ['d', '', '', 'size'], 'u', { mode: { string: 'linear' } }),
      node('Shape', ['u'], 'shape', { start: { int: 1 } }),
      node('Slice', ['shape', 'zero', 'one'], 'c'),
      {
        op: 'Loop',
        inputs: ['', 'c', 's'],
        outputs: ['v'],
        attributes: {
          body: {
            graph: {
              inputs: [{ name: 'i' }, { name: 'go' }, { name: 'w' }],
              nodes: [node('Less', ['i', 'c'], 'on'), node('Add', ['w', 's'], 'more')],
              outputs: [{ name: 'on' }, { name: 'more' }],
            },
          },
        },
      },
      node('Mul', ['u', 'v'], 'y'),
    ],
    inputs: [x],
    outputs: [{ name: 'y' }],
    initializers: {
      s: { dims: [], values: [0.5] },
      z: { dims: [], type: 'uint8', values: [128] },
      size: int64(1, 4, 8, 8),
      zero: int64(0),
      one: int64(1),
    },
  });
  expect(await errorOf({ name: 'm.onnx', bytes })).toBeNull();
  const random = randomValues(bytes.length * 3, 9, 0, 256);
  let errors = 0;
  for (let i = 0; i < random.length; i++) {
    const copy = bytes.slice();
    copy[i % bytes.length] = random[i]!;
    const error = await errorOf({ name: 'm.onnx', bytes: copy });
    if (error) expect(error).toBeInstanceOf(MobileNetError);
    if (error) errors++;
  }
  expect(errors).toBeGreaterThan(bytes.length / 4);
});
