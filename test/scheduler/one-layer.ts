import { Gpu } from '../../src/device/gpu.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import type { FakeGpu } from '../support/fake-gpu.ts';

const kernels = await allKernels();

/** A pointwise convolution of 5 × 5 pixels. */
export const pointwise = (inputs: number, outputs: number): Graph => ({
  name: 'one',
  inputs: [{ name: 'x', shape: [1, 5, 5, inputs] }],
  outputs: [{ name: 'y', tensor: 'y' }],
  nodes: [
    {
      op: 'conv2d',
      name: 'conv',
      inputs: ['x'],
      output: 'y',
      weights: new Float32Array(inputs * outputs).fill(1),
      bias: null,
      kernel: [1, 1],
      stride: [1, 1],
      dilation: [1, 1],
      padding: { top: 0, left: 0, bottom: 0, right: 0 },
      groups: 1,
      outChannels: outputs,
      activation: 'none',
    },
  ],
});

/** A device whose queue is not nudged: no timer runs. */
export function fakeDevice(fake: FakeGpu, device = fake.device): Gpu {
  const adapter = { vendor: '', architecture: '', description: '', software: true, features: [] };
  const gpu = new Gpu(device, adapter, null);
  gpu.pollsSlowly = false;
  return gpu;
}

/** Such a convolution on a GPU that computes nothing, its weights in a texture. */
export function fakeExecutor(gpu: Gpu, graph: Graph = pointwise(4, 16)): Promise<Executor> {
  const plan = createPlan(graph, kernels, { preferences: { features: [], prefer: ['conv-pointwise/p4-c16-texture'] } });
  return Executor.create(gpu, plan, packConstants(graph, plan, kernels));
}
