import { expect, it } from 'vitest';
import type { Graph } from '../../src/graph/graph.ts';
import type { Node } from '../../src/graph/ops.ts';
import { commonOperations } from '../../src/reference/common.ts';
import { operations, runGraph } from '../../src/reference/index.ts';
import { operationsFor } from '../../src/reference/operations-for.ts';
import { runGraphWith } from '../../src/reference/run.ts';

const graphOf = (...nodes: readonly Node[]): Graph => ({
  name: 'made up',
  inputs: [{ name: 'x', shape: [1, 1, 2, 1] }],
  outputs: [{ name: 'y', tensor: nodes.at(-1)!.output }],
  nodes,
});

const softmax: Node = { op: 'softmax', name: 'softmax', inputs: ['x'], output: 's' };
const clip: Node = { op: 'clip', name: 'clip', inputs: ['s'], output: 'c', min: 0, max: 0.5 };
const fused: Node = { op: 'fused', name: 'both', inputs: ['x'], output: 'c', parts: [softmax, clip] } as Node;

it('classifiers are run by the common operations, others by all of them', async () => {
  expect(await operationsFor(graphOf(softmax))).toBe(commonOperations);
  expect(await operationsFor(graphOf(softmax, clip))).toBe(operations);
  expect(await operationsFor(graphOf(fused))).toBe(operations);
});

it('both give the same', async () => {
  const x = Float32Array.of(1, -2);
  for (const graph of [graphOf(softmax), graphOf(softmax, clip), graphOf(fused)]) {
    expect(runGraphWith(await operationsFor(graph), graph, { x })).toEqual(runGraph(graph, { x }));
  }
});
