import { expect, test } from 'vitest';
import type { Conv2d, Node } from '../../src/graph/ops.ts';
import { runNode } from '../../src/reference/index.ts';
import { runWithBound } from '../../src/validate/bounds.ts';
import { checkBounds } from '../../src/validate/check-bounds.ts';
import { conv, random } from '../reference/nodes.ts';

/** Expansion, depthwise, projection with the block's input as residual. */
const parts: Conv2d[] = [
  conv([1, 1], 24, random([1, 1, 6, 24], 1).data, {
    bias: random([1, 1, 1, 24], 2).data,
    activation: 'relu6',
    inputs: ['x'],
    output: 'expanded',
    name: 'expand',
  }),
  conv([3, 3], 24, random([3, 3, 1, 24], 3).data, {
    groups: 24,
    padding: { top: 1, left: 1, bottom: 1, right: 1 },
    activation: 'hard-swish',
    inputs: ['expanded'],
    output: 'filtered',
    name: 'filter',
  }),
  conv([1, 1], 6, random([1, 1, 24, 6], 4).data, { inputs: ['filtered', 'x'], output: 'y', name: 'project' }),
];
const node: Node = { op: 'fused', name: 'block', inputs: ['x', 'x'], output: 'y', parts };
const x = random([1, 5, 7, 6], 5);

test('a fused node is its parts one after another', () => {
  const expanded = runNode(parts[0]!, [x]);
  const filtered = runNode(parts[1]!, [expanded]);
  const projected = runNode(parts[2]!, [filtered, x]);
  expect(runNode(node, [x, x])).toEqual(projected);
});

test('its bound holds when every tensor between is off by its own bound, and not much further', () => {
  const { output, bound, probable } = runWithBound(node, [x, x]);
  const first = runWithBound(parts[0]!, [x]);
  const sign = random(first.output.shape, 6).data.map(Math.sign);
  const expanded = { ...first.output, data: first.output.data.map((v, i) => v + sign[i]! * first.bound[i]!) };
  const second = runWithBound(parts[1]!, [expanded]);
  const filtered = { ...second.output, data: second.output.data.map((v, i) => v - sign[i]! * second.bound[i]!) };
  const third = runWithBound(parts[2]!, [filtered, x]);
  const actual = third.output.data.map((v, i) => v + sign[i]! * third.bound[i]!);
  expect(checkBounds(actual, output.data, bound, probable)).toMatchObject({ ok: true });
  const far = actual.map((v, i) => v + sign[i]! * bound[i]! * 2);
  expect(checkBounds(far, output.data, bound, probable).ok).toBe(false);
});
