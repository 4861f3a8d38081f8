import { describe, expect, test } from 'vitest';
import { judge, judgeQuantised, tolerances } from '../../bench/compare.ts';
import { quantile } from '../../bench/results.ts';
import type { Graph, Node } from '../../src/index.ts';
import { randomValues } from '../support/oracles.ts';

const expected = randomValues(1000, 5, -3, 3);

describe('an output is taken for the reference’s', () => {
  test('where it is the same', () => {
    expect(judge([expected], [expected])).toEqual({ maxAbsDiff: 0, nmse: 0, error: null });
  });

  test('where only float32 rounding differs', () => {
    const rounded = expected.map((value, i) => value * (1 + (i % 2 ? 1e-5 : -1e-5)));
    const { error, maxAbsDiff } = judge([rounded], [expected]);
    expect(error).toBeNull();
    expect(maxAbsDiff).toBeGreaterThan(1e-5);
  });
});

describe('an output of an engine that computes in halves', () => {
  const noisy = (size: number) => expected.map((value, i) => value * (1 + (i % 2 ? size : -size)));

  test('may be off by sums in halves, which no output in float32 may', () => {
    expect(judge([noisy(0.03)], [expected], [], 'float16').error).toBeNull();
    expect(judge([noisy(0.03)], [expected], [], 'float16-storage').error).toBeNull();
    expect(judge([noisy(0.03)], [expected], [], 'float32').error).toContain('differs');
  });

  test('is refused where it is off by more', () => {
    expect(judge([noisy(0.15)], [expected], [], 'float16').error).toContain('differs');
    const infinite = expected.slice();
    infinite[3] = Number.POSITIVE_INFINITY;
    expect(judge([infinite], [expected], [], 'float16').error).toContain('not finite');
  });
});

describe('an output is refused', () => {
  test('where it is rounded to float16', () => {
    const halves = expected.map((value) => Math.round(value * 1024) / 1024);
    expect(judge([halves], [expected]).error).toContain('differs');
  });

  test('where one value of many is wrong', () => {
    const wrong = expected.slice();
    wrong[17]! += 0.01;
    const { error, nmse } = judge([wrong], [expected]);
    expect(nmse).toBeLessThan(1e-7);
    expect(error).toContain('differs from the CPU reference: by up to 1.0e-2');
  });

  test('where it is not finite', () => {
    const broken = expected.slice();
    broken[3] = Number.NaN;
    expect(judge([broken], [expected])).toMatchObject({ maxAbsDiff: Number.MAX_VALUE });
    expect(judge([broken], [expected]).error).toContain('not finite');
  });

  test('where it is all zero', () => {
    expect(judge([new Float32Array(1000)], [expected]).error).toContain('differs');
  });

  test('where it has another length or is missing', () => {
    expect(judge([expected.subarray(1)], [expected]).error).toBe('output has 999 values, expected 1000');
    expect(judge([expected], [expected, expected]).error).toBe('output 1 has no values, expected 1000');
  });

  test('where the second of two outputs is wrong', () => {
    const result = judge([expected, expected.map((value) => -value)], [expected, expected]);
    expect(result.error).toContain('output 1 differs');
    expect(result.nmse).toBeCloseTo(4);
  });
});

describe('a sigmoid', () => {
  const graph: Graph = {
    name: 'detector',
    inputs: [{ name: 'x', shape: [1, 1, 1, 2] }],
    nodes: [
      { op: 'activation', name: 's', inputs: ['x'], output: 'score', activation: 'sigmoid' },
      { op: 'reshape', name: 'r', inputs: ['score'], output: 'flat', shape: [1, 1, 1, 2] },
      { op: 'activation', name: 'h', inputs: ['x'], output: 'other', activation: 'hard-sigmoid' },
    ],
    outputs: ['flat', 'other', 'score'].map((name) => ({ name, tensor: name })),
  };
  // What ½ + p/q can be off by where it is near zero.
  const small = Float32Array.of(1e-4, 2e-5);
  const near = (by: number) => small.map((value) => value + by);

  test('may be off by the rounding of a number near ½, behind a reshape too', () => {
    const allowed = tolerances(graph);
    expect(allowed).toEqual([2 ** -24, 0, 2 ** -24]);
    expect(judge([near(3e-8), small, small], [small, small, small], allowed).error).toBeNull();
    expect(judge([small, near(3e-8), small], [small, small, small], allowed).error).toContain('output 1 differs');
  });

  test('by no more', () => {
    const { error } = judge([near(2e-7), small, small], [small, small, small], tolerances(graph));
    expect(error).toContain('output 0 differs');
  });
});

test('a quantile lies between the values beside it', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([4, 1, 3, 2], 0)).toBe(1);
  expect(quantile([10, 20], 0.95)).toBeCloseTo(19.5);
  expect(quantile([7], 0.95)).toBe(7);
});

describe('an output of a quantised file', () => {
  const scale = 2 ** -4;
  const stored = expected.map((value) => Math.round(value / scale) * scale);
  const dequantise = { kind: 'dequantise', scale, zeroPoint: 0 } as const;
  const ended = (from: readonly Node[]): Graph => ({
    name: 'quantised',
    inputs: [{ name: 'x', shape: [1, 1, 1, 1000] }],
    outputs: [{ name: 'y', tensor: 'y' }],
    nodes: [...from, { op: 'integer', name: 'y', inputs: [from.at(-1)!.output], output: 'y', body: dequantise }],
  });
  const base = { name: 'q', inputs: ['x'], output: 'q' };
  const integers = ended([{ op: 'integer', ...base, body: { kind: 'reshape', shape: [1, 1, 1, 1000] } }]);
  const softmax = ended([
    { op: 'softmax', ...base, name: 's', output: 's' },
    { op: 'integer', ...base, inputs: ['s'], body: { kind: 'quantise', scale, zeroPoint: 0 } },
  ]);
  const off = (steps: number) => stored.map((value, i) => value + (i === 17 ? steps * scale : 0));

  test('is the same, byte for byte', () => {
    expect(judgeQuantised([stored], [stored], integers, [scale], false)).toMatchObject({ steps: 0, error: null });
    const { steps, error } = judgeQuantised([off(1)], [stored], integers, [scale], false);
    expect(steps).toBe(1);
    expect(error).toContain('differs');
  });

  test('may be a step off where it is rounded from real numbers', () => {
    expect(judgeQuantised([off(-1)], [stored], softmax, [scale], false)).toMatchObject({ steps: 1, error: null });
    expect(judgeQuantised([off(2)], [stored], softmax, [scale], false)).toMatchObject({ steps: 2 });
    expect(judgeQuantised([off(2)], [stored], softmax, [scale], false).error).toContain('differs');
  });

  test('may be some steps off in an engine that computes in floats, and is refused where it is another', () => {
    const near = stored.map((value, i) => value + [-2, 0, 1, 3][i % 4]! * scale);
    expect(judgeQuantised([near], [stored], integers, [scale], true)).toMatchObject({ steps: 3, error: null });
    expect(judgeQuantised([stored.slice().reverse()], [stored], integers, [scale], true).error).toContain('differs');
  });
});
