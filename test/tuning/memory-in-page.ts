/** Counts the GPU memory that is held, at the WebGPU calls. */
import { load, seededInputs } from '../../src/index.ts';

const texel: Readonly<Record<string, number>> = { rgba32float: 16, rgba16float: 8, rgba8sint: 4 };

/** Of what `counts`, everything unless given. */
export function countMemory(device: GPUDevice, counts: (object: { label?: string }) => boolean = () => true) {
  const held = new Map<object, number>();
  const counter = {
    peak: 0,
    onCreate: () => {},
    bytes: () => [...held.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
  const counted = <T extends { destroy(): undefined }>(object: T, bytes: number): T => {
    held.set(object, bytes);
    counter.peak = Math.max(counter.peak, counter.bytes());
    const destroy = object.destroy.bind(object);
    object.destroy = () => {
      held.delete(object);
      return destroy();
    };
    counter.onCreate();
    return object;
  };
  const { createBuffer, createTexture } = device;
  device.createBuffer = (descriptor) =>
    counted(createBuffer.call(device, descriptor), counts(descriptor) ? descriptor.size : 0);
  device.createTexture = (descriptor) => {
    const [width, height] = descriptor.size as number[];
    const bytes = counts(descriptor) ? width! * height! * texel[descriptor.format]! : 0;
    return counted(createTexture.call(device, descriptor), bytes);
  };
  return counter;
}

/** Bytes that tuning a network takes at most beyond what the network itself had, and the layers that it measured. */
export async function tuningMemory({ id, budgetMs }: { id: string; budgetMs: number }) {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const gpuDevice = await adapter.requestDevice({
    requiredFeatures: (['timestamp-query', 'subgroups'] as const).filter((name) => adapter.features.has(name)),
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  });
  const memory = countMemory(gpuDevice);
  const model = await load(id, { plan: 'unfused', device: 'webgpu', tuning: 'off', gpuDevice });
  await model.run(seededInputs(model.graph));
  const own = memory.bytes();
  memory.peak = 0;
  const start = performance.now();
  const { layers, complete, refused } = await model.tune({ budgetMs, cache: null });
  const result = {
    own,
    peak: memory.peak,
    after: memory.bytes(),
    elapsed: performance.now() - start,
    complete,
    refused,
    layers: layers.map(({ node, chosen, tried }) => ({ node, chosen, tried })),
  };
  model.dispose();
  gpuDevice.destroy();
  return result;
}

/** Tunes a network between two marks in the page's timeline. */
export async function tuneMarked({ id, budgetMs }: { id: string; budgetMs: number }) {
  const model = await load(id, { plan: 'unfused', device: 'webgpu', tuning: 'off' });
  await model.run(seededInputs(model.graph));
  await new Promise((resolve) => setTimeout(resolve, 100));
  performance.mark('tuning starts');
  await new Promise((resolve) => setTimeout(resolve));
  const { layers } = await model.tune({ budgetMs, cache: null });
  await new Promise((resolve) => setTimeout(resolve));
  performance.mark('tuning ends');
  model.dispose();
  return layers.length;
}
