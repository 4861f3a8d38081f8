import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { prepare } from '../../src/passes/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { rankWithBound, validateStages } from '../../src/validate/stages.ts';
import { fakeDevice, pointwise } from '../scheduler/one-layer.ts';
import { FakeGpu } from '../support/fake-gpu.ts';

const kernels = await allKernels();

const tensor = (...values: number[]) => ({ shape: [1, 1, 1, values.length] as const, data: Float32Array.from(values) });

describe('the best classes', () => {
  it('are in the order of their scores, the lower index first where they are equal', () => {
    const scores = tensor(0.125, 0.25, 0, 0.25, 0.375);
    const { indices, output, bound } = rankWithBound(scores, { logits: false, count: 4 });
    expect(indices).toEqual([4, 1, 3, 0]);
    expect([...output.data]).toEqual([0.375, 0.25, 0.25, 0.125]);
    expect(Math.max(...bound)).toBeLessThan(1e-37);
  });

  it('of logits have the probabilities of a softmax over all classes', () => {
    const scores = tensor(...[1, 2, 4, 1].map(Math.log));
    const { indices, output, bound } = rankWithBound(scores, { logits: true, count: 5 });
    expect(indices).toEqual([2, 1, 0, 3]);
    [0.5, 0.25, 0.125, 0.125].forEach((p, i) => {
      expect(Math.abs(output.data[i]! - p)).toBeLessThan(bound[i]!);
      // Some twenty roundings.
      expect(bound[i]! / p).toBeGreaterThan(2 ** -24);
      expect(bound[i]! / p).toBeLessThan(100 * 2 ** -24);
    });
  });
});

describe('the stages of a GPU that computes nothing', () => {
  const rows = async (graph: Graph) => {
    const prepared = prepare(graph);
    const plan = createPlan(prepared, kernels, {
      aliasing: false,
      preferences: { features: [], prefer: ['conv-stem'] },
    });
    const executor = await Executor.create(fakeDevice(new FakeGpu()), plan, packConstants(prepared, plan, kernels));
    const found = await validateStages(executor, graph, prepared, () => ({ weights: 'f32', output: 'f32' }));
    return found.map(({ name, op, shape, ok }) => ({ name, op, shape: shape.join(), ok }));
  };

  it('are found wrong, each in a row of its own', async () => {
    expect(await rows(buildArchitecture('v2-0.35-32'))).toEqual([
      { name: 'input', op: 'image-to-tensor', shape: '1,32,32,3', ok: false },
      { name: 'stem of pixels', op: 'conv2d', shape: '1,16,16,16', ok: false },
      { name: 'logits', op: 'rank-classes', shape: '1,1,1,5', ok: false },
    ]);
  });

  it('are none where no picture goes in', async () => {
    expect(await rows(pointwise(8, 8))).toEqual([]);
  });

  it('end with the picture where the output is no scores of classes', async () => {
    const graph = buildArchitecture('v2-0.35-32');
    const features = { ...graph, outputs: [{ ...graph.outputs[0]!, meaning: 'features' as const }] };
    expect((await rows(features)).map(({ op }) => op)).toEqual(['image-to-tensor', 'conv2d']);
  });
});
