import { expect, it } from 'vitest';
import type { Conv2d } from '../../src/graph/ops.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';

const kernels = await allKernels();

const KERNEL = 'conv-pointwise/p4-c16-uniform';
const LARGEST_BINDING = 65536;

const pointwise = (name: string, from: string, channels: number, outChannels: number): Conv2d => ({
  op: 'conv2d',
  name,
  inputs: [from],
  output: name,
  weights: new Float32Array(channels * outChannels).fill(1),
  bias: null,
  kernel: [1, 1],
  stride: [1, 1],
  dilation: [1, 1],
  padding: { top: 0, left: 0, bottom: 0, right: 0 },
  groups: 1,
  outChannels,
  activation: 'none',
});

const graph = {
  name: 'three pointwise convolutions',
  inputs: [{ name: 'x', shape: [1, 4, 4, 16] as const }],
  outputs: [{ name: 'y', tensor: 'c' }],
  nodes: [pointwise('a', 'x', 16, 256), pointwise('b', 'a', 256, 64), pointwise('c', 'b', 64, 272)],
};

it.each(['float32', 'float16'] as const)(
  'binds the weights that fit as uniforms within the buffer, %s',
  (precision) => {
    const preferences = { features: [], prefer: [KERNEL] };
    const plan = createPlan(graph, kernels, { precision, halves: new Set(), preferences });
    // 64 → 272 channels are 68 KiB.
    expect(plan.dispatches.map(({ kernel }) => kernel)).toEqual([KERNEL, KERNEL, 'conv-pointwise']);
    expect(plan.dispatches[0]!.pipeline).toBe(plan.dispatches[1]!.pipeline);
    for (const { node, pipeline, bindings } of plan.dispatches.slice(0, 2)) {
      expect(plan.pipelines[pipeline]!.bindings.slice(0, 4)).toEqual(['uniform', 'read', 'uniform', 'read']);
      const slot = plan.constants.find((constant) => constant.node === node && constant.index === 0)!;
      expect(bindings[2]).toEqual({ kind: 'constants', offset: slot.offset, bytes: LARGEST_BINDING });
      expect(slot.offset + LARGEST_BINDING).toBeLessThanOrEqual(plan.constantBytes);
    }
    expect([...packConstants(graph, plan, kernels)]).toHaveLength(6);
  },
);

it('has a constants buffer as large as the only uniform, whatever little it holds', () => {
  const preferences = { features: [], prefer: [KERNEL] };
  const one = { ...graph, outputs: [{ name: 'y', tensor: 'a' }], nodes: [pointwise('a', 'x', 16, 16)] };
  const plan = createPlan(one, kernels, { preferences });
  expect(plan.constants.map(({ bytes }) => bytes)).toEqual([1024, 64]);
  expect(plan.constantBytes).toBe(LARGEST_BINDING);
});
