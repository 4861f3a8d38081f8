import type { Gpu } from '../device/gpu.ts';
import type { Graph } from '../graph/graph.ts';
import type { Conv2d } from '../graph/ops.ts';
import { createPlan, packConstants } from '../planner/create-plan.ts';
import type { Precision } from '../planner/plan.ts';
import { kernelsFor } from '../planner/select.ts';
import { Executor } from '../scheduler/executor.ts';
import { startingPreferences } from './defaults.ts';

/** A convolution of one pixel that keeps the number of channels. */
export const plainConv = (input: string, output: string, channels: number, groups = 1): Conv2d => ({
  op: 'conv2d',
  name: output,
  inputs: [input],
  output,
  weights: new Float32Array(channels ** 2 / groups),
  bias: null,
  kernel: [1, 1],
  stride: [1, 1],
  dilation: [1, 1],
  padding: { top: 0, left: 0, bottom: 0, right: 0 },
  groups,
  outChannels: channels,
  activation: 'none',
});

/** A network of a convolution, a depthwise one, a mean and a fully connected layer: shaders do not depend on the sizes. */
export const smallest: Graph = {
  name: 'warm-up',
  inputs: [{ name: 'input', shape: [1, 2, 2, 4] }],
  outputs: [{ name: 'output', tensor: 'output' }],
  nodes: [
    plainConv('input', 'convolution', 4),
    plainConv('convolution', 'depthwise', 4, 4),
    { op: 'global-average-pool', name: 'mean', inputs: ['depthwise'], output: 'mean' },
    {
      op: 'fully-connected',
      name: 'output',
      inputs: ['mean'],
      output: 'output',
      weights: new Float32Array(16),
      bias: null,
      outFeatures: 4,
      activation: 'none',
    },
  ],
};

/**
 * On a software adapter, whose first plans share most pipelines whatever the network: has it compile these while a file
 * is read, by a first inference, as some compile no sooner.
 */
export async function warmUp(gpu: Gpu, precision: Precision | undefined): Promise<void> {
  const preferences = await startingPreferences(gpu.adapter);
  const kernels = await kernelsFor(smallest, preferences);
  const plan = createPlan(smallest, kernels, { precision, preferences });
  const executor = await Executor.create(gpu, plan, packConstants(smallest, plan, kernels));
  try {
    await executor.run(new Float32Array(16));
  } finally {
    executor.dispose();
  }
}
