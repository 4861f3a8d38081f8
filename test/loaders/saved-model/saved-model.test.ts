/** Saved models: the same outputs, opened sooner, and damaged ones refused. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { buildArchitecture } from '../../../src/architectures/index.ts';
import { ModelFormatError, UsageError } from '../../../src/errors.ts';
import type { Graph } from '../../../src/graph/graph.ts';
import type { Permutation } from '../../../src/graph/ops.ts';
import { seededInputs } from '../../../src/graph/random-inputs.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { writeSafetensors } from '../../../src/loaders/safetensors/container.ts';
import { writeSavedModel } from '../../../src/loaders/saved-model/write.ts';
import { prepare } from '../../../src/passes/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { poseImage } from '../../../src/tasks/index.ts';
import { zoo, zooFiles } from '../../models/zoo.ts';
import { cheaply } from '../../support/cost.ts';

const open = (bytes: Uint8Array, name = 'model.safetensors') => loadGraph({ name, bytes });

const small = () => prepare(buildArchitecture('v3-small-0.35-32'));

describe('a saved model', () => {
  it('is the graph after the passes, whole', async () => {
    const graph = { ...small(), labels: ['a', 'b'] };
    expect(await open(writeSavedModel(graph, '1.2.3'))).toEqual({ ...graph, prepared: true });
  });

  it('keeps clips that are open, and a rule for pictures', async () => {
    const image = {
      rotate: 90,
      flip: true,
      fit: 'crop',
      cropFraction: 0.875,
      filter: 'bicubic',
      antialias: true,
      corners: 'half-pixel',
      channels: 'rgb',
      scale: [1 / 127.5],
      offset: [-1],
    } as const;
    const graph = {
      name: 'clips',
      image,
      inputs: [{ name: 'x', shape: [1, 2, 2, 3] as const }],
      outputs: [{ name: 'y', tensor: 'b' }],
      nodes: [
        { op: 'clip' as const, name: 'low', inputs: ['x'], output: 'a', min: -1, max: Number.POSITIVE_INFINITY },
        { op: 'clip' as const, name: 'high', inputs: ['a'], output: 'b', min: Number.NEGATIVE_INFINITY, max: 2 },
      ],
    };
    expect(await open(writeSavedModel(graph, '1'))).toEqual({ ...graph, prepared: true });
  });

  it('keeps a transpose, and refuses one that takes an axis twice', async () => {
    const graph = (permutation: Permutation) => ({
      name: 'turned',
      inputs: [{ name: 'x', shape: [1, 2, 3, 4] as const }],
      outputs: [{ name: 'y', tensor: 'y' }],
      nodes: [{ op: 'transpose' as const, name: 't', inputs: ['x'], output: 'y', permutation }],
    });
    const sound = graph([0, 3, 1, 2]);
    expect(await open(writeSavedModel(sound, '1'))).toEqual({ ...sound, prepared: true });
    await expect(open(writeSavedModel(graph([0, 3, 1, 1]), '1'))).rejects.toThrow(
      /permutation is \[0,3,1,1\], expected each of 0 to 3/,
    );
  });

  it('runs without passes and gives the same bits', async () => {
    const graph = small();
    const opened = await open(writeSavedModel(graph, '1'));
    expect(prepare(opened)).toBe(opened);
    const inputs = seededInputs(graph);
    expect(runGraph(opened, inputs)).toEqual(runGraph(graph, inputs));
  });

  it('opens where its bytes lie at an odd place', async () => {
    const bytes = writeSavedModel(small(), '1');
    const odd = new Uint8Array(bytes.length + 1).subarray(1);
    odd.set(bytes);
    expect(await open(odd)).toEqual(await open(bytes));
  });

  it('of version 1, written once and kept, still opens', async () => {
    const graph = await open(readFileSync('test/loaders/saved-model/saved-model-v1.safetensors'));
    const [output] = Object.values(runGraph(graph, seededInputs(graph)));
    expect(graph.nodes.map(({ op }) => op)).toEqual(['conv2d', 'conv2d', 'global-average-pool', 'fully-connected']);
    expect([...output!.data].map((value) => Number(value.toFixed(5)))).toMatchInlineSnapshot(`
      [
        0.05932,
        0.16791,
      ]
    `);
  });

  it('cannot be cut when it is opened', async () => {
    const files = { name: 'a', bytes: writeSavedModel(small(), '1') };
    await expect(loadGraph(files, { outputs: ['x'] })).rejects.toThrow(UsageError);
  });
});

test.each(zoo)('of $name is the same network', async (model) => {
  const graph = prepare(await loadGraph(await zooFiles(model), model.options));
  const again = await open(writeSavedModel(graph, '1'));
  const nodesOf = ({ nodes }: Graph) => nodes.map((node) => Object.entries(node).map(plain).sort());
  expect(nodesOf(again)).toEqual(nodesOf(graph));
});

/** Of a field; weights by their number and sum. */
const plain = ([name, value]: [string, unknown]): string =>
  value instanceof Float32Array
    ? `${name}: ${value.length} of ${value.reduce((sum, one) => sum + one, 0)}`
    : `${name}: ${JSON.stringify(value)}`;

test('opens at least five times sooner than its source', async () => {
  const lines: string[] = [];
  for (const model of zoo.filter(({ file }) => /model\.onnx|faceres|cup/.test(file))) {
    const files = await zooFiles(model);
    const source = async () => prepare(await loadGraph(files, model.options));
    const saved = writeSavedModel(await source(), '1');
    const again = async () => prepare(await open(saved));
    const [slow, fast] = await fastest(source, again);
    lines.push(`${model.name}: ${slow.toFixed(1)} ms, saved ${fast.toFixed(1)} ms, ${(slow / fast).toFixed(1)} ×`);
    expect(slow / fast, lines.at(-1)).toBeGreaterThan(5);
  }
  console.log(lines.join('\n'));
});

/** CPU milliseconds of the fastest of several times of each, in turn: another process's work does not count. */
async function fastest(...works: readonly [() => Promise<unknown>, () => Promise<unknown>]): Promise<[number, number]> {
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 25; round++) {
    for (const [i, work] of works.entries()) {
      const start = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(start);
      best[i] = Math.min(best[i]!, (user + system) / 1000);
    }
  }
  return best as [number, number];
}

describe('a damaged or hostile file is refused', () => {
  let whole: Uint8Array;
  beforeAll(() => {
    whole = writeSavedModel(small(), '1');
  });

  const refused = async (bytes: Uint8Array, message: RegExp | string) => {
    const error = await cheaply(() =>
      open(bytes).then(
        () => null,
        (reason) => reason,
      ),
    );
    expect(error).toBeInstanceOf(ModelFormatError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('model.safetensors');
  };

  const file = (header: unknown, data = 0): Uint8Array => {
    const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
    const bytes = new Uint8Array(8 + text.length + data);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    return bytes;
  };
  const f32 = (shape: unknown, from: unknown, to: unknown) => ({ dtype: 'F32', shape, data_offsets: [from, to] });
  const claims = (length: bigint) => {
    const bytes = file({ a: f32([1], 0, 4) }, 4);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  };

  it.each<[string, () => Uint8Array, RegExp]>([
    ['a header of gigabytes', () => claims(0x0000_0000_ffff_ffffn), /claims a header of 4294967295 bytes, at most/],
    ['a header longer than the file', () => claims(1000n), /claims a header of 1000 bytes, but only/],
    ['a header that is no JSON', () => file('{"a": '), /no sound JSON/],
    ['a deep header', () => file(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`), /no sound JSON|dtype is/],
    ['keys twice', () => file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":1}', 4), /names "a" twice/],
    ['fields twice', () => file('{"a":{"dtype":"F32","dtype":"F16","shape":[1]}}', 4), /names "dtype" twice/],
    ['metadata of numbers', () => file({ __metadata__: { format: 7 } }), /__metadata__" whose "format" is 7/],
    ['a gap', () => file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /tensor "b" begins at byte 8.*a gap/],
    ['an overlap', () => file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), /tensor "b" begins at byte 4.*an overlap/],
    ['a tensor past the end', () => file({ a: f32([4], 0, 16) }, 8), /tensor "a" ends at byte 16.*cut short/],
    ['bytes after the end', () => file({ a: f32([1], 0, 4) }, 9), /5 bytes after its last tensor/],
    [
      'a size that is not the shape',
      () => file({ a: f32([3], 0, 4) }, 4),
      /"a": takes 4 bytes, but F32 of shape \[3\]/,
    ],
    ['a product that overflows', () => file({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /larger than can be counted/],
    ['negative dimensions', () => file({ a: f32([-1, -1], 0, 4) }, 4), /"a": shape is \[-1,-1\]/],
    ['fractions', () => file({ a: f32([1.5], 0, 6) }, 6), /"a": shape is \[1.5\]/],
    ['offsets that are text', () => file({ a: f32([1], '0', '4') }, 4), /"a": data_offsets are/],
    ['an unknown dtype', () => file({ a: { dtype: 'toString', shape: [1], data_offsets: [0, 4] } }, 4), /dtype is/],
    [
      'a prototype',
      () => file('{"__proto__":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}', 4),
      /"__proto__": takes/,
    ],
    [
      'tensors by the hundred thousand',
      () => file(Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, f32([0], 0, 0)]))),
      /100000 tensors/,
    ],
    ['no header at all', () => new Uint8Array([9, 0, 0, 0, 0, 0, 0, 0, 0x7b]), /too short/],
  ])('%s', (_what, make, message) => refused(make(), message));

  it('cut anywhere', async () => {
    for (let i = 1; i <= 40; i++) await refused(whole.slice(0, Math.floor((whole.length * i) / 41)), /./);
  });

  type Saved = { nodes: Record<string, unknown>[]; [key: string]: unknown };
  const changed = (change: (graph: Saved) => void, metadata: Record<string, string> = {}): Uint8Array => {
    const length = Number(new DataView(whole.buffer, whole.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + length)));
    const graph = JSON.parse(header.__metadata__.graph);
    change(graph);
    Object.assign(header.__metadata__, { graph: JSON.stringify(graph) }, metadata);
    const text = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(8 + text.length + whole.length - 8 - length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    bytes.set(whole.subarray(8 + length), 8 + text.length);
    return bytes;
  };
  const convolution = (graph: Saved) => graph.nodes.find(({ op }) => op === 'conv2d')!;

  it.each<[string, (graph: Saved) => void, RegExp]>([
    ['an unknown operation', (graph) => Object.assign(graph.nodes[0]!, { op: 'constructor' }), /node 0.*op is/],
    ['a fused operation', (graph) => Object.assign(graph.nodes[0]!, { op: 'fused' }), /node 0.*op is "fused"/],
    ['a stride of zero', (graph) => Object.assign(convolution(graph), { stride: [0, 1] }), /stride is \[0,1\]/],
    ['a stride that is text', (graph) => Object.assign(convolution(graph), { stride: '11' }), /stride is "11"/],
    ['negative padding', (graph) => Object.assign(convolution(graph), { padding: { top: -1 } }), /padding is/],
    ['an activation of its own', (graph) => Object.assign(convolution(graph), { activation: 'eval' }), /activation is/],
    [
      'weights that are not there',
      (graph) => Object.assign(convolution(graph), { weights: 'x' }),
      /weights is tensor "x"/,
    ],
    [
      'weights of another layer',
      (graph) => Object.assign(convolution(graph), { weights: '1.bias' }),
      /weights has|uses/,
    ],
    ['a cycle', (graph) => Object.assign(graph.nodes[0]!, { inputs: [graph.nodes[1]!.output] }), /nothing before it/],
    [
      'a tensor written twice',
      (graph) => Object.assign(graph.nodes[1]!, { output: graph.nodes[0]!.output }),
      /written twice/,
    ],
    ['no outputs', (graph) => Object.assign(graph, { outputs: [] }), /without inputs or outputs/],
    [
      'an output that nothing writes',
      (graph) => Object.assign(graph, { outputs: [{ name: 'y', tensor: 'z' }] }),
      /nothing writes/,
    ],
    [
      'a shape past all memory',
      (graph) => Object.assign(graph, { inputs: [{ name: 'image', shape: [1, 1e6, 1e6, 3] }] }),
      /product below/,
    ],
    ['labels that are numbers', (graph) => Object.assign(graph, { labels: [1] }), /labels/],
    [
      'a rule for pictures that turns by an eighth',
      (graph) => Object.assign(graph, { image: { rotate: 45, ...poseImage } }),
      /an image rule that is none: {"rotate":45/,
    ],
    ['nodes that are no list', (graph) => Object.assign(graph, { nodes: {} }), /nodes are/],
    ['a node for every atom', (graph) => Object.assign(graph, { nodes: new Array(20_000).fill(1) }), /20000 nodes/],
  ])('%s', (_what, change, message) => refused(changed(change), message));

  it('of a later version, saying so', () =>
    refused(
      changed(() => {}, { version: '3', engine: '9.0.0' }),
      /version "3", written by engine "9.0.0".*update it/,
    ));

  it('with a weight that is not finite, or is not used', async () => {
    const damaged = whole.slice();
    new DataView(damaged.buffer).setFloat32(damaged.length - 4, Number.NaN, true);
    await refused(damaged, /holds NaN at/);
    const values = Float32Array.of(1);
    const graph = JSON.stringify({ inputs: [], outputs: [], nodes: [] });
    const metadata = { format: 'mobilenet-webgpu', version: '1', graph };
    await refused(writeSafetensors([['stray', [1], values]], metadata), /tensor "stray", which no node uses/);
  });
});
