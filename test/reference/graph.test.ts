import { describe, expect, test } from 'vitest';
import { GraphError, UsageError } from '../../src/errors.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Node } from '../../src/graph/ops.ts';
import { runGraph, runGraphAsync, runNode } from '../../src/reference/index.ts';
import { conv, counting } from './nodes.ts';

const scale = (name: string, from: string, factor: number): Node => ({
  op: 'affine',
  name,
  inputs: [from],
  output: name,
  scale: Float32Array.of(factor),
  shift: Float32Array.of(0),
});

/** y = 2x, z = 3y, sum = y + z; outputs: sum and y. */
const graph: Graph = {
  name: 'diamond',
  inputs: [{ name: 'x', shape: [1, 1, 2, 1] }],
  outputs: [
    { name: 'total', tensor: 'sum' },
    { name: 'twice', tensor: 'y' },
  ],
  nodes: [
    scale('y', 'x', 2),
    scale('z', 'y', 3),
    { op: 'add', name: 'sum', inputs: ['y', 'z'], output: 'sum', activation: 'none' },
  ],
};
const x = Float32Array.of(1, 10);

describe.each([
  { name: 'runGraph', run: async (...args: Parameters<typeof runGraph>) => runGraph(...args) },
  { name: 'runGraphAsync', run: runGraphAsync },
])('$name', ({ run }) => {
  test('runs nodes in order and gives outputs by their names', async () => {
    const visited: string[] = [];
    const outputs = await run(
      graph,
      { x },
      { onNode: (node, output, i) => visited.push(`${i} ${node.name} ${output.data}`) },
    );
    expect(visited).toEqual(['0 y 2,20', '1 z 6,60', '2 sum 8,80']);
    expect(Object.keys(outputs)).toEqual(['total', 'twice']);
    expect(outputs.total).toEqual({ shape: [1, 1, 2, 1], data: Float32Array.of(8, 80) });
    expect([...outputs.twice!.data]).toEqual([2, 20]);
  });

  test('an output may be an input', async () => {
    const outputs = await run({ ...graph, outputs: [{ name: 'same', tensor: 'x' }] }, { x });
    expect([...outputs.same!.data]).toEqual([1, 10]);
  });

  test('counts over all nodes', async () => {
    const counter = { multiplications: 0 };
    const node: Node = { ...conv([1, 1], 3, [1, 2, 3]), inputs: ['x'] };
    await run({ ...graph, nodes: [node], outputs: [{ name: 'o', tensor: 'b' }] }, { x }, { counter });
    expect(counter.multiplications).toBe(6);
  });

  test('an abort is seen before the next node', async () => {
    const controller = new AbortController();
    const visited: string[] = [];
    const reason = new Error('enough');
    const running = run(
      graph,
      { x },
      {
        signal: controller.signal,
        onNode: (node) => {
          visited.push(node.name);
          controller.abort(reason);
        },
      },
    );
    await expect(running).rejects.toBe(reason);
    expect(visited).toEqual(['y']);
  });

  test.each([
    ['a missing input', {}, /diamond: input "x" is missing.*\[1,1,2,1\]/],
    ['an unknown input', { x, w: x }, /no input "w"; its inputs are: x/],
    ['a wrong length', { x: new Float32Array(3) }, /"x" has 3 values, expected 2/],
    ['another type', { x: [1, 2] as unknown as Float32Array }, /"x" is missing: pass a Float32Array/],
  ])('%s is an error', async (_, inputs, message) => {
    const running = run(graph, inputs as Record<string, Float32Array>);
    await expect(running).rejects.toThrow(UsageError);
    await expect(run(graph, inputs as Record<string, Float32Array>)).rejects.toThrow(message);
  });

  test('an inconsistent graph is an error before anything runs', async () => {
    const visited: string[] = [];
    const bad: Graph = { ...graph, nodes: [...graph.nodes, scale('late', 'nowhere', 1)] };
    const running = run(bad, { x }, { onNode: (node) => visited.push(node.name) });
    await expect(running).rejects.toThrow(GraphError);
    expect(visited).toEqual([]);
  });
});

test('runGraphAsync lets other tasks run between nodes', async () => {
  const order: string[] = [];
  const running = runGraphAsync(graph, { x }, { onNode: (node) => order.push(node.name) });
  setTimeout(() => order.push('timer'), 0);
  const { promise, resolve } = withResolvers();
  setImmediate(() => {
    order.push('task');
    resolve();
  });
  await Promise.all([running, promise]);
  expect(order[0]).toBe('y');
  expect(order.indexOf('task')).toBeLessThan(order.indexOf('sum'));
});

function withResolvers() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe('runNode', () => {
  test('refuses inputs that do not fit', () => {
    expect(() => runNode(conv([1, 1], 1, [1, 2]), [counting([1, 1, 1, 3])])).toThrow(GraphError);
    expect(() => runNode(conv([1, 1], 1, [1, 2]), [counting([1, 1, 1, 3])])).toThrow(
      /node "node" \(conv2d\): weights has 2/,
    );
    expect(() => runNode(conv([1, 1], 1, [1]), [])).toThrow(/has 0 inputs/);
  });

  test('refuses data that does not have its shape', () => {
    const input = { shape: [1, 2, 2, 1] as const, data: new Float32Array(3) };
    expect(() => runNode(conv([1, 1], 1, [1]), [input])).toThrow(UsageError);
    expect(() => runNode(conv([1, 1], 1, [1]), [input])).toThrow(/input 0 has 3 values, expected 4 for \[1,2,2,1\]/);
  });
});
