import { expect, it } from 'vitest';
import { Gpu } from '../../src/device/gpu.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { FakeGpu } from '../support/fake-gpu.ts';

/** A pointwise convolution whose weights are a texture of `outputs` × `inputs` / 4 texels. */
const pointwise = (inputs: number, outputs: number): Graph => ({
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

it.each([
  { inputs: 32, outputs: 16, texels: [16, 8], size: [17, 9] },
  { inputs: 8, outputs: 48, texels: [48, 2], size: [48, 3] },
  { inputs: 4, outputs: 16, texels: [16, 1], size: [17, 3] },
  { inputs: 24, outputs: 48, texels: [48, 6], size: [48, 6] },
  { inputs: 4, outputs: 8192, texels: [8192, 1], size: [8192, 3] },
])('weights of $texels texels lie in a texture of $size, no side a power of two but the largest', async (expected) => {
  const fake = new FakeGpu();
  const { device } = fake;
  const sizes: unknown[] = [];
  const writes: unknown[] = [];
  const { createTexture } = device;
  device.createTexture = (descriptor) => {
    sizes.push(descriptor.size);
    return createTexture(descriptor);
  };
  const { writeTexture } = device.queue;
  device.queue.writeTexture = (...call: Parameters<typeof writeTexture>) => {
    writes.push({ extent: call[3], bytesPerRow: call[2].bytesPerRow });
    writeTexture(...call);
  };
  const graph = pointwise(expected.inputs, expected.outputs);
  const preferences = { features: [], prefer: ['conv-pointwise/p4-c16-texture'] };
  const plan = createPlan(graph, { preferences });
  const adapter = { vendor: '', architecture: '', description: '', software: true, features: [] };
  await Executor.create(new Gpu(device, adapter, false), plan, packConstants(graph, plan));
  expect(sizes).toEqual([expected.size]);
  expect(writes).toEqual([{ extent: expected.texels, bytesPerRow: 16 * expected.texels[0]! }]);
});
