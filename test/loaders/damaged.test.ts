/** Damaged and hostile files: each ends soon, in a typed error that names the place. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { MobileNetError } from '../../src/errors.ts';
import { loadGraph, type ModelFiles } from '../../src/loaders/index.ts';
import { type GraphSpec, type ModelSpec, type NodeSpec, type TensorSpec, writeOnnx } from '../support/onnx-writer.ts';
import { randomValues } from '../support/oracles.ts';
import { type TfjsSpec, writeTfjs } from '../support/tfjs-writer.ts';

const detypify = 'node_modules/detypify-service/train/model.onnx';

/** The error that loading ends in, which must be a typed one; null where it loads. */
async function errorOf(files: ModelFiles): Promise<MobileNetError | null> {
  try {
    await loadGraph(files);
    return null;
  } catch (error) {
    if (error instanceof MobileNetError) return error;
    throw new Error(`${files.name} ended in an error that is not typed`, { cause: error });
  }
}

const damaged = async (bytes: Uint8Array, message: string | RegExp, name = 'model.onnx') =>
  expect(await errorOf({ name, bytes })).toMatchObject({
    code: 'model-format',
    file: name,
    message: expect.stringMatching(message),
  });

describe('files of other kinds', () => {
  const bytes = (...values: number[]) => Uint8Array.from([...values, ...new Array(32).fill(0)]);
  const text = (value: string) => new TextEncoder().encode(value);
  const accepted = 'accepted formats: .*ONNX';
  const cases: [string, Uint8Array, string][] = [
    ['empty', new Uint8Array(), 'is empty'],
    ['PNG', bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), 'PNG picture'],
    ['JPEG', bytes(0xff, 0xd8, 0xff, 0xe0), 'JPEG picture'],
    ['ZIP', bytes(0x50, 0x4b, 3, 4), 'ZIP archive'],
    ['HTML', text('\n<!doctype html><title>Not found</title>'), 'HTML'],
    ['gzip', bytes(0x1f, 0x8b), 'gzip'],
    ['HDF5', bytes(0x89, 0x48, 0x44, 0x46), 'HDF5'],
    ['text', text('version https://git-lfs.github.com/spec/v1'), 'is not a known model file'],
    ['TensorFlow .pb', bytes(0x0a, 0x10), 'protobuf file that is not ONNX'],
  ];
  for (const [name, content, message] of cases) {
    test(name, () => damaged(content, `^photo: .*${message}.*${accepted}`, 'photo'));
  }
});

const conv: ModelSpec = {
  nodes: [
    {
      op: 'Conv',
      name: 'c',
      inputs: ['x', 'w', 'b'],
      outputs: ['v'],
      attributes: { pads: { ints: [1, 1, 1, 1] }, strides: { ints: [2, 2] }, auto_pad: { string: 'NOTSET' } },
    },
    { op: 'Clip', name: 'k', inputs: ['v', 'low', 'high'], outputs: ['r'] },
    { op: 'Flatten', name: 'f', inputs: ['r'], outputs: ['g'] },
    { op: 'Gemm', name: 'm', inputs: ['g', 'd'], outputs: ['y'], attributes: { transB: { int: 1 } } },
  ],
  inputs: [{ name: 'x', type: 'float', dims: [1, 2, 4, 4] }],
  outputs: [{ name: 'y', type: 'float', dims: [1, 2] }],
  initializers: {
    w: { dims: [3, 2, 3, 3], values: randomValues(54, 1) },
    b: { dims: [3], values: [1, 2, 3], typed: true },
    low: { dims: [], values: [0] },
    high: { dims: [], values: [6] },
    d: { dims: [2, 12], values: randomValues(24, 2) },
  },
};

describe('truncated and altered ONNX', () => {
  test('a small file, cut anywhere', async () => {
    const bytes = writeOnnx(conv);
    expect(await errorOf({ name: 'm.onnx', bytes })).toBeNull();
    for (let length = 1; length < bytes.length; length++) {
      const error = await errorOf({ name: 'm.onnx', bytes: bytes.subarray(0, length) });
      expect(error?.code, `${length} of ${bytes.length} bytes`).toBe('model-format');
      expect(error?.message).toMatch(/byte \d+/);
    }
  });

  test('MobileNetV4, cut anywhere', async () => {
    const bytes = await readFile(detypify);
    const lengths = [1, 2, 20, 100, 4_943_000, bytes.length - 1];
    for (let i = 1; i < 40; i++) lengths.push(Math.floor((bytes.length * i) / 40));
    for (const length of lengths) {
      const error = await errorOf({ name: 'm.onnx', bytes: bytes.subarray(0, length) });
      expect(error?.code, `${length} of ${bytes.length} bytes`).toBe('model-format');
      expect(error?.message).toMatch(/byte \d+/);
    }
  });

  test('any byte altered: a graph or a typed error', async () => {
    const bytes = writeOnnx(conv);
    const random = randomValues(bytes.length * 3, 3, 0, 256);
    let refused = 0;
    for (let i = 0; i < random.length; i++) {
      const copy = bytes.slice();
      copy[i % bytes.length] = random[i]!;
      if (await errorOf({ name: 'm.onnx', bytes: copy })) refused++;
    }
    expect(refused).toBeGreaterThan(bytes.length / 4);
  });

  test('the as_strided of MobileNetV4 with another stride is no identity', async () => {
    const bytes = new Uint8Array(await readFile(detypify));
    // Strides 336, 1, 336, 336 as int64: the second, of the channels, becomes 2.
    const strides = new Uint8Array(BigInt64Array.of(336n, 1n, 336n, 336n).buffer);
    const at = Buffer.from(bytes.buffer).indexOf(strides);
    expect(at).toBeGreaterThan(0);
    bytes[at + 8] = 2;
    expect(await errorOf({ name: 'm.onnx', bytes })).toMatchObject({ code: 'unsupported-op', op: 'Gather' });
  });
});

const relu = (inputs: string[], outputs: string[], name = ''): NodeSpec => ({ op: 'Relu', name, inputs, outputs });
const x = { name: 'x', type: 'float', dims: [1, 4] } as const;
const y = { name: 'y', type: 'float' } as const;
const model = (nodes: readonly NodeSpec[], more: Partial<ModelSpec> = {}) =>
  writeOnnx({ nodes, inputs: [x], outputs: [y], ...more });
const matMul = (w: TensorSpec) =>
  model([{ op: 'MatMul', name: 'm', inputs: ['x', 'w'], outputs: ['y'] }], { initializers: { w } });

describe('inconsistent ONNX', () => {
  test('a cycle', () => damaged(model([relu(['b'], ['a']), relu(['a'], ['b']), relu(['a'], ['y'])]), 'has a cycle'));
  test('a node that reads itself', () => damaged(model([relu(['y'], ['y'], 'n')]), 'cycle: node 0 "n" \\(Relu\\)'));
  test('a tensor that nothing writes', () =>
    damaged(model([relu(['z'], ['y'], 'n')]), 'node 0 "n" \\(Relu\\) reads tensor "z", which nothing writes'));
  test('a tensor written twice', () =>
    damaged(
      model([relu(['x'], ['y'], 'a'), relu(['x'], ['y'], 'b')]),
      'tensor "y" is written twice, last by node 1 "b"',
    ));
  test('an input written over', () => damaged(model([relu(['y'], ['x'])]), 'tensor "x" is written twice'));
  test('two initializers of one name', () =>
    damaged(
      model([relu(['x'], ['y'])], {
        initializers: [
          ['w', { dims: [1], values: [1] }],
          ['w', { dims: [1], values: [2] }],
        ],
      }),
      'two initializers named "w"',
    ));
  test('no outputs', () => damaged(model([relu(['x'], ['y'])], { outputs: [] }), 'has no outputs'));
  test('an output that nothing writes', () => damaged(model([]), 'output "y" is written by no node'));
  test('an output that is a constant', () =>
    damaged(
      model([{ op: 'Constant', outputs: ['y'], attributes: { value_float: { float: 1 } } }]),
      'output "y" is a constant',
    ));
  for (const opset of [5, 6]) {
    test(`operator set ${opset}`, () => damaged(model([relu(['x'], ['y'])], { opset }), `operator set ${opset}`));
  }
  test('names of prototypes', async () => {
    const bytes = model([relu(['x'], ['__proto__']), relu(['__proto__'], ['constructor'])], {
      outputs: [{ name: 'constructor' }],
    });
    expect((await loadGraph({ name: 'm.onnx', bytes })).outputs).toEqual([
      { name: 'constructor', tensor: 'constructor' },
    ]);
  });
  test('a negative dimension', () => damaged(matMul({ dims: [-4, 2], values: [] }), 'tensor "w" .*\\[-4,2\\]'));
  test('dimensions whose product is too large', () =>
    damaged(matMul({ dims: [2 ** 31, 2 ** 31, 4], values: [] }), 'more than 2³¹'));
  test('dimensions whose product overflows to nothing', () =>
    damaged(matMul({ dims: [2 ** 62, 4], values: [] }), 'tensor "w"'));
  test('too few values', () => damaged(matMul({ dims: [4, 2], values: [1, 2] }), 'has 8 bytes, expected 32'));
  test('too many typed values', () =>
    damaged(matMul({ dims: [1], values: [1, 2], typed: true }), 'has 2 values, expected 1'));
  test('weights of a type without numbers', () =>
    damaged(matMul({ dims: [1], type: 'string', raw: new Uint8Array(1) }), 'elements of string'));
  test('weights that do not fit', () =>
    damaged(
      matMul({ dims: [3, 2], values: [1, 2, 3, 4, 5, 6] }),
      'node "m" \\(MatMul\\): multiplies .*\\[1,4\\].*\\[3,2\\]',
    ));
  test('an input of no size', () =>
    damaged(model([relu(['x'], ['y'])], { inputs: [{ ...x, dims: [1, 2 ** 40] }] }), 'input "x"'));

  const convolution = (
    attributes: NodeSpec['attributes'],
    w: TensorSpec = { dims: [3, 2, 3, 3], values: randomValues(54, 1) },
  ) =>
    writeOnnx({
      ...conv,
      nodes: [{ ...conv.nodes[0]!, inputs: ['x', 'w'], outputs: ['y'], attributes: attributes ?? {} }],
      initializers: { w },
    });
  test('a stride of 0', () => damaged(convolution({ strides: { ints: [0, 1] } }), 'strides is \\[0,1\\]'));
  test('groups that do not divide', () => damaged(convolution({ group: { int: 3 } }), 'has 3 groups'));
  test('negative groups', () => damaged(convolution({ group: { int: -1 } }), 'has -1 groups'));
  test('a kernel larger than the picture', () =>
    damaged(convolution({ dilations: { ints: [9, 9] } }), 'sizes are damaged or do not fit'));
  test('weights of no output', () => damaged(convolution({}, { dims: [0, 2, 3, 3], values: [] }), 'node "c"'));
});

describe('values that no network has', () => {
  test('a weight that is no number', () =>
    damaged(matMul({ dims: [4, 2], values: [1, 2, 3, Number.NaN, 5, 6, 7, 8] }), 'node "m" .*weights\\[3\\] is NaN'));
  test('a negative variance', () =>
    damaged(
      model([{ op: 'BatchNormalization', name: 'b', inputs: ['x', 's', 's', 's', 'v'], outputs: ['y'] }], {
        initializers: { s: { dims: [4], values: [1, 1, 1, 1] }, v: { dims: [4], values: [1, 1, -1, 1] } },
      }),
      'node "b" .*variance -1 in channel 2',
    ));
});

describe('ONNX that asks for too much', () => {
  test('more than 100,000 nodes', () =>
    damaged(model(Array.from({ length: 100_001 }, (_, i) => relu(['x'], [`t${i}`]))), 'more than 100000 nodes'));

  test('a chain of 50,000 nodes, backwards', async () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => ({
      op: 'Identity',
      inputs: [i === 0 ? 'x' : `t${i}`],
      outputs: [i === 49_999 ? 'y' : `t${i + 1}`],
    }));
    const graph = await loadGraph({ name: 'm.onnx', bytes: model(chain.reverse()) });
    expect(graph.outputs).toEqual([{ name: 'y', tensor: 'x' }]);
  });

  test('graphs within graphs', () => {
    let inner: GraphSpec = { nodes: [relu(['x'], ['y'])], outputs: [y] };
    for (let i = 0; i < 60; i++) {
      inner = {
        nodes: [{ op: 'If', inputs: ['x'], outputs: ['y'], attributes: { then_branch: { graph: inner } } }],
        outputs: [y],
      };
    }
    return damaged(writeOnnx({ ...inner, inputs: [x] }), 'nested more than');
  });

  const constant = (value: TensorSpec): NodeSpec => ({
    op: 'Constant',
    outputs: ['c'],
    attributes: { value: { tensor: value } },
  });
  const bomb = (...nodes: NodeSpec[]) => model([...nodes, { op: 'Add', inputs: ['x', 'big'], outputs: ['y'] }]);

  test('a constant of a billion elements', () =>
    damaged(
      bomb(constant({ dims: [1], type: 'int64', values: [2 ** 30] }), {
        op: 'ConstantOfShape',
        inputs: ['c'],
        outputs: ['big'],
      }),
      'far larger than the file',
    ));
  test('a range of a billion elements', () =>
    damaged(
      bomb(
        constant({ dims: [], type: 'int64', values: [0] }),
        {
          op: 'Constant',
          outputs: ['one'],
          attributes: { value_int: { int: 1 } },
        },
        {
          op: 'Constant',
          outputs: ['end'],
          attributes: { value_int: { int: 2 ** 40 } },
        },
        { op: 'Range', inputs: ['c', 'end', 'one'], outputs: ['big'] },
      ),
      'larger than the file|more than 2³¹',
    ));
  test('a loop without end', () =>
    damaged(
      bomb(constant({ dims: [], type: 'bool', values: [1] }), {
        op: 'Loop',
        inputs: ['', 'c', 'c'],
        outputs: ['big'],
        attributes: {
          body: {
            graph: {
              nodes: [{ op: 'Identity', inputs: ['go'], outputs: ['on'] }],
              inputs: [{ name: 'i' }, { name: 'go' }, { name: 'v' }],
              outputs: [{ name: 'on' }, { name: 'v' }],
            },
          },
        },
      }),
      'steps to evaluate',
    ));
  test('a loop without end and without nodes', () =>
    damaged(
      bomb(constant({ dims: [], type: 'bool', values: [1] }), {
        op: 'Loop',
        inputs: ['', 'c', 'c'],
        outputs: ['big'],
        attributes: {
          body: {
            graph: {
              nodes: [],
              inputs: [{ name: 'i' }, { name: 'go' }, { name: 'v' }],
              outputs: [{ name: 'go' }, { name: 'v' }],
            },
          },
        },
      }),
      'steps to evaluate',
    ));
  test('a resize to a billion pixels', async () => {
    const bytes = model([{ op: 'Resize', name: 'r', inputs: ['x', '', '', 's'], outputs: ['y'] }], {
      inputs: [{ name: 'x', type: 'float', dims: [1, 1, 2, 2] }],
      initializers: { s: { dims: [4], type: 'int64', values: [1, 1, 2 ** 30, 2] } },
    });
    expect(await errorOf({ name: 'm.onnx', bytes })).toMatchObject({ code: 'unsupported-op', node: 'r' });
  });
});

describe('operations that are not run', () => {
  test('an unknown operation is named with its place', async () => {
    const bytes = model([relu(['x'], ['a']), { op: 'Einsum', name: 'e', inputs: ['a', 'x'], outputs: ['y'] }]);
    expect(await errorOf({ name: 'm.onnx', bytes })).toMatchObject({
      code: 'unsupported-op',
      node: 'e',
      op: 'Einsum',
      message: expect.stringContaining('node 1 of 2, inputs: a, x'),
    });
  });
  test('an operation of another domain', async () => {
    const bytes = model([{ ...relu(['x'], ['y'], 'q'), domain: 'com.microsoft' }]);
    expect(await errorOf({ name: 'm.onnx', bytes })).toMatchObject({ op: 'com.microsoft.Relu', node: 'q' });
  });
});

const strayPaths = [
  '../weights.bin',
  'a/../../weights.bin',
  '..\\weights.bin',
  '/etc/passwd',
  '\\\\host\\share',
  'C:weights.bin',
  'https://example.org/weights.bin',
  '//example.org/weights.bin',
  'HTTPS:weights.bin',
  'ht\ntps://example.org/weights.bin',
  ' https://example.org/weights.bin',
  '%2e%2e/weights.bin',
  'a%2f..%2F../weights.bin',
  '../weights.bin?x',
  'weights.bin#x',
  '',
];

describe('paths that leave the folder are refused before anything is read', () => {
  for (const path of strayPaths) {
    test(JSON.stringify(path), async () => {
      const read = vi.fn(async () => new Uint8Array(32));
      const onnx = matMul({ dims: [4, 2], external: { location: path } });
      expect(await errorOf({ name: 'm.onnx', bytes: onnx, read })).toMatchObject({
        code: 'model-format',
        file: 'm.onnx',
      });
      const tfjs = writeTfjs({ ...tiny, paths: [path] }).bytes;
      expect(await errorOf({ name: 'model.json', bytes: tfjs, read })).toMatchObject({
        code: 'model-format',
        file: 'model.json',
      });
      expect(read).not.toHaveBeenCalled();
    });
  }
});

describe('external data of ONNX', () => {
  const bytes = (external: Record<string, string>) =>
    matMul({ dims: [4, 2], external: { location: 'w.bin', ...external } });
  const load = (external: Record<string, string>) =>
    errorOf({ name: 'm.onnx', bytes: bytes(external), read: async () => new Uint8Array(40) });
  test('beyond the file', async () =>
    expect((await load({ offset: '16' }))?.message).toContain('takes bytes 16 to 48 of "w.bin", which has 40'));
  test('of another length', async () =>
    expect((await load({ length: '36' }))?.message).toContain('has 36 bytes, expected 32'));
  test('at no place', async () => expect((await load({ offset: '-8' }))?.message).toContain('external offset "-8"'));
  test('not there', () => damaged(bytes({}), 'needs the file "w.bin"'));
});

const tiny: TfjsSpec = {
  inputs: { x: { shape: [1, 4] } },
  nodes: [
    { name: 'm', op: 'MatMul', input: ['x', 'w'] },
    { name: 'y', op: 'Relu', input: ['m'] },
  ],
  weights: { w: { shape: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8] } },
};

describe('damaged TensorFlow.js models', () => {
  const load = (spec: TfjsSpec, read?: (path: string) => Promise<Uint8Array>) => {
    const { bytes, shard } = writeTfjs(spec);
    return errorOf({ name: 'model.json', bytes, read: read ?? (async () => shard) });
  };
  const refused = async (error: Promise<MobileNetError | null>, message: string) =>
    expect(await error).toMatchObject({ code: 'model-format', message: expect.stringContaining(message) });

  test('model.json cut anywhere', async () => {
    const { bytes, shard } = writeTfjs(tiny);
    for (let length = 1; length < bytes.length; length++) {
      const error = await errorOf({ name: 'model.json', bytes: bytes.subarray(0, length), read: async () => shard });
      expect(error?.code, `${length} of ${bytes.length} bytes`).toBe('model-format');
    }
  });
  test('any byte altered: a graph or a typed error', async () => {
    const { bytes, shard } = writeTfjs(tiny);
    const random = randomValues(bytes.length * 2, 4, 32, 127);
    for (let i = 0; i < random.length; i++) {
      const copy = bytes.slice();
      copy[i % bytes.length] = random[i]!;
      await errorOf({ name: 'model.json', bytes: copy, read: async () => shard });
    }
  });
  test('no shards given', () =>
    refused(errorOf({ name: 'model.json', bytes: writeTfjs(tiny).bytes }), 'needs the file "group1-shard1of1.bin"'));
  test('a missing shard', () =>
    refused(
      load(tiny, async () => {
        throw new Error('404 Not Found');
      }),
      'needs the file "group1-shard1of1.bin", which could not be read: 404 Not Found',
    ));
  test('a shard cut short', () =>
    refused(
      load(tiny, async () => new Uint8Array(31)),
      'is bytes 0 to 32 of group1-shard1of1.bin, which has 31',
    ));
  test('a shard too long', () =>
    refused(
      load(tiny, async () => new Uint8Array(33)),
      'take 32 bytes, and the file has 33',
    ));
  test('a negative dimension', () =>
    refused(load({ ...tiny, weights: { w: { shape: [-4, 2], values: [] } } }), 'weight "w" has the shape [-4,2]'));
  test('a shape that overflows', () =>
    refused(load({ ...tiny, weights: { w: { shape: [2 ** 30, 2 ** 30], values: [] } } }), 'more than 2³¹'));
  test('a constant without a weight', () =>
    refused(
      load({
        ...tiny,
        nodes: [...tiny.nodes, { name: 'c', op: 'Const' }, { name: 'z', op: 'Add', input: ['y', 'c'] }],
      }),
      '"c" (Const) has no weight',
    ));
  test('quantised as nobody does', () =>
    refused(
      load({
        ...tiny,
        weights: { w: { shape: [1], values: [1], quantization: { dtype: 'uint8', scale: Number.NaN, min: 0 } } },
      }),
      'no finite quantization scale',
    ));
  test('a cycle', () =>
    refused(
      load({
        ...tiny,
        nodes: [
          { name: 'a', op: 'Relu', input: ['b'] },
          { name: 'b', op: 'Relu', input: ['a'] },
          { name: 'y', op: 'Relu', input: ['b'] },
        ],
      }),
      'has a cycle',
    ));
  test('an input that no node makes', () =>
    refused(load({ ...tiny, nodes: [{ name: 'y', op: 'Relu', input: ['gone'] }] }), 'node "y" (Relu) reads "gone"'));
  test('two nodes of one name', () =>
    refused(load({ ...tiny, nodes: [...tiny.nodes, tiny.nodes[0]!] }), 'two nodes named "m"'));
  test('an attribute of another type', () =>
    refused(
      load({
        ...tiny,
        nodes: [{ name: 'y', op: 'MatMul', input: ['x', 'w'], attr: { transpose_b: { b: 1 as unknown as boolean } } }],
      }),
      'node "y": attribute transpose_b is 1',
    ));
  test('an unknown operation', async () =>
    expect(await load({ ...tiny, nodes: [{ name: 'y', op: 'Erf', input: ['x'] }] })).toMatchObject({
      code: 'unsupported-op',
      node: 'y',
      op: 'Erf',
    }));
  test('a layers model', () =>
    damaged(new TextEncoder().encode('{"format": "layers-model", "modelTopology": {}}'), 'layers model', 'model.json'));
  test('JSON that is no model', () =>
    damaged(
      new TextEncoder().encode('{"name": "a package", "version": "1.0.0"}'),
      'without modelTopology',
      'package.json',
    ));
  test('JSON a million levels deep', () =>
    damaged(new TextEncoder().encode('{"a":'.repeat(1_000_000)), 'is no sound JSON', 'model.json'));
});

test('an abort ends the loading with its reason', async () => {
  const controller = new AbortController();
  const read = async () => {
    controller.abort(new Error('enough'));
    return writeTfjs(tiny).shard;
  };
  const { bytes } = writeTfjs(tiny);
  await expect(loadGraph({ name: 'model.json', bytes, read }, { signal: controller.signal })).rejects.toThrow('enough');
});
