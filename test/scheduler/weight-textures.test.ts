import { expect, it } from 'vitest';
import { FakeGpu } from '../support/fake-gpu.ts';
import { fakeDevice, fakeExecutor, pointwise } from './one-layer.ts';

it.each([
  { inputs: 32, outputs: 16, texels: [16, 8], size: [17, 9] },
  { inputs: 8, outputs: 48, texels: [48, 2], size: [48, 3] },
  { inputs: 4, outputs: 16, texels: [16, 1], size: [17, 3] },
  { inputs: 24, outputs: 48, texels: [48, 6], size: [48, 6] },
  { inputs: 4, outputs: 4096, texels: [4096, 1], size: [4096, 3] },
])('weights of $texels texels lie in a texture of $size, no side a power of two but the largest', async (expected) => {
  const fake = new FakeGpu();
  const gpu = fakeDevice(fake);
  const { device } = gpu;
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
  await fakeExecutor(gpu, pointwise(expected.inputs, expected.outputs));
  expect(sizes).toEqual([expected.size]);
  expect(writes).toEqual([{ extent: expected.texels, bytesPerRow: 16 * expected.texels[0]! }]);
});
