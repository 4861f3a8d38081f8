/** Layouts in which the file's elements lie in another order than the graph's, against ONNX Runtime. */
import { expect, test } from 'vitest';
import { withMeanings } from '../../../src/graph/output-meaning.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { fileOf, int64, one, random, suite } from '../../support/onnx-case.ts';

const image = [1, 3, 4, 5] as const;
const relu = { op: 'Relu', inputs: ['t'], outputs: ['y'] };
const transpose = (from: string, to: string, ...perm: number[]) => ({
  op: 'Transpose',
  inputs: [from],
  outputs: [to],
  attributes: { perm: { ints: perm } },
});

suite('elements that move', {
  'an image flattened at the end': { x: [2, 3, 4, 5], nodes: one('Flatten'), ops: ['transpose', 'reshape'] },
  'an image of one pixel, flattened': { x: [2, 3, 1, 1], nodes: one('Flatten'), ops: [] },
  'an image in rows': {
    x: image,
    nodes: [
      { op: 'Reshape', inputs: ['x', 's'], outputs: ['r'] },
      { ...relu, inputs: ['r'] },
    ],
    initializers: { s: int64(1, 2, 30) },
    ops: ['transpose', 'reshape', 'activation'],
  },
  'softmax along height': { x: image, nodes: one('Softmax', { axis: { int: 2 } }), plainOutput: true },
  'softmax along width': { x: [2, 3, 4, 5], nodes: one('Softmax', { axis: { int: 3 } }), plainOutput: true },
  'softmax along the batch': { x: [2, 3, 4, 5], nodes: one('Softmax', { axis: { int: 0 } }), plainOutput: true },
  'weights along width': {
    x: [2, 3, 4, 5],
    nodes: one('MatMul', {}, 'w'),
    initializers: { w: random([5, 7]) },
    plainOutput: true,
  },
  'a constant for each row': {
    x: image,
    nodes: one('Mul', {}, 'c'),
    initializers: { c: random([4, 1]) },
    plainOutput: true,
  },
  'an image and itself with rows and columns exchanged': {
    x: [2, 3, 4, 4],
    nodes: [transpose('x', 't', 0, 1, 3, 2), { op: 'Add', inputs: ['x', 't'], outputs: ['y'] }],
    ops: ['transpose', 'add'],
  },
  'zeros around the channels': {
    x: image,
    nodes: one('Pad', {}, 'p'),
    initializers: { p: int64(0, 1, 0, 0, 0, 2, 0, 0) },
    plainOutput: true,
  },
  'zeros around channels and width': {
    x: [2, 3, 4, 5],
    nodes: one('Pad', {}, 'p'),
    initializers: { p: int64(0, 1, 0, 2, 0, 0, 0, 1) },
    plainOutput: true,
  },
  'zeros around one row of pixels': {
    x: [2, 3, 1, 5],
    nodes: one('Pad', {}, 'p'),
    initializers: { p: int64(0, 0, 1, 0, 0, 0, 1, 2) },
    ops: ['pad'],
  },
  'mixing over pixels, then over channels': {
    x: [2, 6, 4, 4],
    nodes: [
      { op: 'Reshape', inputs: ['x', 's'], outputs: ['tokens'] },
      { op: 'MatMul', inputs: ['tokens', 'w'], outputs: ['mixed'] },
      { op: 'Add', inputs: ['mixed', 'tokens'], outputs: ['sum'] },
      transpose('sum', 'turned', 0, 2, 1),
      { op: 'MatMul', inputs: ['turned', 'v'], outputs: ['y'] },
    ],
    initializers: { s: int64(0, 6, 16), w: random([16, 16]), v: random([6, 5]) },
    plainOutput: true,
  },
  'convolved with channels where rows were': {
    x: [2, 4, 4, 5],
    nodes: [
      transpose('x', 't', 0, 2, 1, 3),
      { op: 'Conv', inputs: ['t', 'w'], outputs: ['c'] },
      transpose('c', 'd', 0, 2, 1, 3),
      { op: 'Conv', inputs: ['d', 'v'], outputs: ['y'] },
    ],
    initializers: { w: random([6, 4, 1, 1]), v: random([3, 4, 2, 2]) },
  },
});

test('what an output means is not lost by moving it', async () => {
  const nodes = [
    { op: 'Softmax', inputs: ['x'], outputs: ['s'], attributes: { axis: { int: 1 } } },
    { op: 'Flatten', inputs: ['s'], outputs: ['y'] },
  ];
  const graph = withMeanings(await loadGraph({ name: 'm', bytes: fileOf({ x: image, nodes }) }));
  expect(graph.nodes.map(({ op }) => op)).toEqual(['softmax', 'transpose', 'reshape']);
  expect(graph.outputs[0]!.meaning).toBe('probabilities');
});
