/** Files that are made to cost much, or whose names are names of JavaScript's own. Each format has more of its own kind. */
import { describe, expect, test } from 'vitest';
import { ModelFormatError, UsageError } from '../../src/errors.ts';
import { loadGraph, type ModelFiles } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { cheaply } from '../support/cost.ts';
import { writeOnnx } from '../support/onnx-writer.ts';
import { writeTfjs } from '../support/tfjs-writer.ts';
import { tfliteFile } from '../support/tflite-writer.ts';

const errorOf = (files: ModelFiles): Promise<unknown> =>
  loadGraph(files).then(
    () => null,
    (error) => error,
  );

/** A file with the header `json`. */
function safetensors(json: string): ModelFiles {
  const header = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return { name: 'm.safetensors', bytes };
}

describe('long texts', () => {
  const long = 'n'.repeat(16_000_000);
  test.each([
    ['a key of 16 MB', `{"${long}":{}}`, /dtype is undefined/],
    ['a key of 16 MB of escapes', `{"${'\\\\'.repeat(8_000_000)}":{}}`, /dtype is undefined/],
    ['a value of 16 MB', `{"__metadata__":{"a":"${long}"}}`, ModelFormatError],
    ['the same key of 2 MB twice', `{"${long.slice(0, 2e6)}":{},"${long.slice(0, 2e6)}":{}}`, /twice in its header/],
    ['a key twice, written in two ways', '{"a":{},"\\u0061" \n:{}}', /names "a" twice/],
    ['16 MB of white space behind a key', `{"a"${' '.repeat(16_000_000)}:{}}`, /dtype is undefined/],
  ])('%s in the header of a safetensors file', async (_, json, expected) => {
    const error = await cheaply(() => errorOf(safetensors(json)));
    expect(error).toBeInstanceOf(ModelFormatError);
    if (expected instanceof RegExp) expect((error as Error).message).toMatch(expected);
  });

  test('keys and strings that look alike are no keys twice', async () => {
    const json = '{"__metadata__":{"a":"a","b":"\\"a\\":","c":"{"}}';
    expect(((await errorOf(safetensors(json))) as Error).message).not.toMatch(/twice/);
  });

  test('white space of 4 MB in a layers model, and colons in the names of a graph model', async () => {
    const config = `{"name":"s","layers":[{"class_name":"Flatten","config":{"data_format"${' '.repeat(4e6)}:"channels_first"}}]}`;
    const json = `{"modelTopology":{"class_name":"Sequential","config":${config}},"weightsManifest":[]}`;
    const layers = { name: 'model.json', bytes: new TextEncoder().encode(json), read: async () => new Uint8Array(0) };
    expect(await cheaply(() => errorOf(layers))).toBeInstanceOf(ModelFormatError);
    const nodes = [{ name: 'y', op: 'Relu', input: [':1'.repeat(2_000_000)] }];
    const { bytes } = writeTfjs({ inputs: { x: { shape: [1, 2] } }, nodes });
    expect(await cheaply(() => errorOf({ ...layers, bytes }))).toBeInstanceOf(ModelFormatError);
  });
});

describe('one file that asks for much', () => {
  test('a shard that is named a thousand times', async () => {
    const read: string[] = [];
    const paths = new Array<string>(1000).fill('a.bin');
    const { bytes } = writeTfjs({ inputs: { x: { shape: [1, 2] } }, nodes: [], paths });
    const error = await errorOf({
      name: 'model.json',
      bytes,
      read: async (path) => {
        read.push(path);
        return new Uint8Array(1_000_000);
      },
    });
    expect((error as Error).message).toBe('model.json: weightsManifest names the file "a.bin" twice');
    expect(read.length).toBe(0);
  });

  test('a thousand nodes that each negate, invert or transpose one constant of 1 MB', async () => {
    const w = { shape: [512, 512], values: new Float32Array(512 * 512).fill(1) };
    const ops = ['Sub', 'RealDiv', 'MatMul'];
    const nodes = Array.from({ length: 1000 }, (_, i) => {
      const op = ops[i % 3]!;
      const attr = op === 'MatMul' ? { transpose_b: { b: true } } : {};
      return { name: `n${i}`, op, input: [i === 0 ? 'x' : `n${i - 1}`, op === 'MatMul' ? 'w' : 'v'], attr };
    });
    const v = { shape: [512], values: new Float32Array(512).fill(1) };
    const { bytes, shard } = writeTfjs({ inputs: { x: { shape: [1, 512] } }, nodes, weights: { w, v } });
    const error = await cheaply(() => errorOf({ name: 'model.json', bytes, read: async () => shard }));
    expect((error as Error).message).toMatch(/makes constants far larger than the file that states them/);
  });
});

const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];

describe.each(names)('the name %s', (name) => {
  const x = { [name]: Float32Array.of(-1, 2) };
  const feed = Object.defineProperty({}, name, { value: x[name], enumerable: true }) as Record<string, Float32Array>;

  test('of an input, a node, a weight and an output', async () => {
    const files: ModelFiles[] = [
      {
        name: 'm.onnx',
        bytes: writeOnnx({
          nodes: [{ op: 'Relu', name, inputs: [name], outputs: ['y'] }],
          inputs: [{ name, type: 'float', dims: [1, 2] }],
          outputs: [{ name: 'y' }],
        }),
      },
      {
        name: 'm.tflite',
        bytes: tfliteFile({
          tensors: [
            { name, dims: [1, 2] },
            { name: 'y', dims: [1, 2] },
          ],
          operators: [{ op: 'RELU', inputs: [0], output: 1 }],
          inputs: [0],
          outputs: [1],
        }),
      },
    ];
    for (const file of files) {
      const graph = await loadGraph(file);
      expect([...runGraph(graph, feed).y!.data], file.name).toEqual([0, 2]);
    }
  });

  test('of an operation', async () => {
    const onnx = writeOnnx({
      nodes: [
        { op: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['q', 's', 'z'] },
        { op: name, name: 'n', inputs: ['q', 's'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', type: 'float', dims: [1, 2] }],
      outputs: [{ name: 'y' }],
    });
    expect(await errorOf({ name: 'm.onnx', bytes: onnx })).toMatchObject({ code: 'unsupported-op', op: name });
    const { bytes } = writeTfjs({
      inputs: { x: { shape: [1, 2] } },
      nodes: [{ name: 'n', op: name, input: ['x'] }],
    });
    const json = { name: 'model.json', bytes, read: async () => new Uint8Array(0) };
    expect(await errorOf(json)).toMatchObject({ code: 'unsupported-op', op: name });
  });

  test('of an input that is given no shape', async () => {
    const bytes = writeOnnx({
      nodes: [{ op: 'Relu', inputs: [name], outputs: ['y'] }],
      inputs: [{ name, type: 'float', dims: [1, 'length'] }],
      outputs: [{ name: 'y' }],
    });
    expect(await errorOf({ name: 'm.onnx', bytes })).toBeInstanceOf(UsageError);
  });
});
