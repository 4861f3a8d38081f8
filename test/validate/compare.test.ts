import { describe, expect, it } from 'vitest';
import type { Activation, Conv2d } from '../../src/graph/ops.ts';
import { checkBounds } from '../../src/validate/check-bounds.ts';
import { compareOutputs, judgeOutputs } from '../../src/validate/compare.ts';

const f = (...values: number[]) => Float32Array.from(values);

describe('a check against bounds', () => {
  it('reports the element that comes nearest to its bound', () => {
    const check = checkBounds(f(1, 2.5, 3), f(1, 2, 3.25), f(1, 10, 0.5), f(1, 1, 1));
    expect(check).toEqual({ maxError: 0.25, bound: 0.5, share: 0.5, unwritten: 0, ok: true });
  });
  it('fails past a bound, and where exactness was promised', () => {
    expect(checkBounds(f(1.5), f(1), f(0.25), f(1)).ok).toBe(false);
    expect(checkBounds(f(1.5), f(1), f(0), f(0)).ok).toBe(false);
    expect(checkBounds(f(1), f(1), f(0), f(0)).ok).toBe(true);
  });
  it.each([
    ['a value that is no number', f(1, Number.NaN), f(1, 2), f(1, 1)],
    ['an infinite value', f(1, Number.POSITIVE_INFINITY), f(1, 2), f(1, 1)],
    ['a reference that is no number', f(1, 2), f(1, Number.NaN), f(1, 1)],
    ['a bound that is no number', f(1, 2), f(1, 2), f(1, Number.NaN)],
    ['an infinite bound', f(1, 2), f(1, 3), f(1, Number.POSITIVE_INFINITY)],
    ['another length', f(1, 2, 3), f(1, 2), f(1, 1)],
  ])('fails on %s', (_, actual, expected, bound) => {
    expect(checkBounds(actual, expected, bound, bound).ok).toBe(false);
  });
});

describe('the difference of two outputs', () => {
  it('is the largest, the normalised mean square, and whether the best class is the same', () => {
    expect(compareOutputs(f(1, 4), f(1, 2))).toEqual({ maxError: 2, nmse: 4 / 5, topEqual: true });
    expect(compareOutputs(f(3, 1), f(1, 3)).topEqual).toBe(false);
    expect(compareOutputs(f(0, 0), f(0, 0))).toEqual({ maxError: 0, nmse: 0, topEqual: true });
    expect(compareOutputs(f(1, Number.NaN), f(1, 2))).toMatchObject({ maxError: Number.MAX_VALUE, topEqual: false });
  });
});

describe('the outputs of a graph', () => {
  const conv = (activation: Activation): Conv2d => ({
    op: 'conv2d',
    name: 'last',
    inputs: ['x'],
    output: 'p',
    weights: f(1),
    bias: null,
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    padding: { top: 0, left: 0, bottom: 0, right: 0 },
    groups: 1,
    outChannels: 1,
    activation,
  });
  const graphOf = (node: Conv2d, fused = false) => ({
    name: 'g',
    inputs: [{ name: 'x', shape: [1, 1, 1, 1] as const }],
    outputs: [{ name: 'found', tensor: 'p' }],
    nodes: fused
      ? [
          {
            op: 'fused',
            name: 'all',
            inputs: ['x'],
            output: 'p',
            parts: [{ ...node, activation: 'none' }, node],
          } as const,
        ]
      : [node],
  });
  const ok = (graph: ReturnType<typeof graphOf>, actual: Float32Array, expected: Float32Array) =>
    judgeOutputs(graph, 'float16', { found: actual }, { found: expected }).map((report) => report.ok);

  it('are as close as the precision lets them be', () => {
    const graph = graphOf(conv('none'));
    expect(ok(graph, f(1.003), f(1))).toEqual([true]);
    expect(ok(graph, f(1.004), f(1))).toEqual([false]);
    expect(judgeOutputs(graph, 'float32', { found: f(1.003) }, { found: f(1) })).toMatchObject([
      { name: 'found', ok: false, nmse: expect.closeTo(9e-6, 7) },
    ]);
    expect(ok(graph, f(Number.NaN), f(1))).toEqual([false]);
  });

  it.each([false, true])('are distributions where they are one probability (fused: %s)', (fused) => {
    const graph = graphOf(conv('sigmoid'), fused);
    expect(ok(graph, f(1.1e-4), f(1e-4))).toEqual([true]);
    expect(ok(graphOf(conv('relu'), fused), f(1.1e-4), f(1e-4))).toEqual([false]);
    expect(ok(graph, f(1.1e-4, 0), f(1e-4, 0))).toEqual([false]);
    expect(ok(graph, f(0.52), f(0.5))).toEqual([false]);
    expect(ok(graph, f(Number.NaN), f(1e-4))).toEqual([false]);
  });
});
