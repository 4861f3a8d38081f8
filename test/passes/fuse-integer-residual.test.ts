/** Sums of stored integers that go into convolutions. */
import { expect, test } from 'vitest';
import type { Graph } from '../../src/graph/graph.ts';
import type { Integer, IntegerAdd, IntegerBody, IntegerConv2d } from '../../src/graph/integers.ts';
import { seededUniform } from '../../src/graph/random.ts';
import { fuseIntegerResidual } from '../../src/passes/fuse-integer-residual.ts';
import { runGraph } from '../../src/reference/index.ts';

const integer = (name: string, inputs: string[], body: IntegerBody): Integer => ({
  op: 'integer',
  name,
  inputs,
  output: name,
  body,
});

const random = seededUniform(5);
const bytes = (length: number) => Int8Array.from({ length }, () => Math.floor(256 * random()) - 128);

function convolution(groups = 1): IntegerConv2d {
  return {
    kind: 'conv2d',
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    padding: { top: 0, left: 0, bottom: 0, right: 0 },
    groups,
    outChannels: 4,
    weights: bytes(16 / groups),
    weightZeroPoint: 0,
    inputZeroPoint: 3,
    bias: null,
    to: { multipliers: Float32Array.of(0.006), zeroPoint: -5, range: [-128, 127] },
  };
}

/** Neither of its inputs is like the other. */
const sum: IntegerAdd = {
  kind: 'add',
  factors: [700_001, 300_007],
  zeroPoints: [-5, 3],
  shift: 20,
  zeroPoint: 11,
  range: [-100, 127],
};
const turned: IntegerAdd = { ...sum, factors: [300_007, 700_001], zeroPoints: [3, -5] };

const graph = (nodes: readonly Integer[], outputs = [nodes.at(-1)!.name]): Graph => ({
  name: 'sums',
  inputs: [{ name: 'x', shape: [1, 3, 5, 4] }],
  outputs: outputs.map((name) => ({ name, tensor: name })),
  nodes,
});

const x = Float32Array.from(bytes(60));

test.each([
  ['first', integer('y', ['c', 'x'], sum)],
  ['second', integer('y', ['x', 'c'], turned)],
])('a convolution that is the %s of two inputs adds the other', (_, add) => {
  const apart = graph([integer('c', ['x'], convolution()), add]);
  const fused = fuseIntegerResidual(apart);
  expect(fused.nodes).toHaveLength(1);
  expect((fused.nodes[0] as Integer<IntegerConv2d>).body.residual).toEqual(sum);
  expect(runGraph(fused, { x }).y!.data).toEqual(runGraph(apart, { x }).y!.data);
});

test('of two convolutions one takes the sum, the other stays before it', () => {
  const apart = graph([
    integer('c', ['x'], convolution()),
    integer('d', ['x'], convolution()),
    integer('y', ['c', 'd'], sum),
  ]);
  const fused = fuseIntegerResidual(apart);
  expect(fused.nodes.map(({ output }) => output)).toEqual(['d', 'y']);
  expect(runGraph(fused, { x }).y!.data).toEqual(runGraph(apart, { x }).y!.data);
});

const c = integer('c', ['x'], convolution());
test.each<[string, Graph]>([
  ['what else is read', graph([c, integer('y', ['c', 'x'], sum), integer('z', ['c', 'y'], sum)], ['y', 'z'])],
  ['an output', graph([c, integer('y', ['c', 'x'], sum)], ['c', 'y'])],
  ['of several groups', graph([integer('c', ['x'], convolution(2)), integer('y', ['c', 'x'], sum)])],
  ['twice the same', graph([c, integer('y', ['c', 'c'], sum)])],
  ['of a table', graph([c, integer('y', ['c', 'x'], { kind: 'pairs', table: bytes(65_536) })])],
])('a convolution is left as it is: %s', (_, apart) => {
  const kinds = fuseIntegerResidual(apart).nodes.map((node) => (node as Integer).body);
  expect(kinds.every((body) => body.kind !== 'conv2d' || body.residual === undefined)).toBe(true);
});
