/** Models that are used for long, and loaded and disposed of again and again, on a device whose memory is counted. */
import { load, type Model, seededInputs } from '../../src/index.ts';
import { countMemory } from '../tuning/memory-in-page.ts';

interface Used {
  readonly device: GPUDevice;
  readonly memory: ReturnType<typeof countMemory>;
  readonly model: Model;
  readonly inputs: Readonly<Record<string, Float32Array>>;
}

let used = null as Used | null;

const openDevice = async () => (await navigator.gpu.requestAdapter())!.requestDevice();

export async function begin({ id }: { id: string }) {
  const device = await openDevice();
  const memory = countMemory(device);
  const model = await load(id, { plan: 'unfused', gpuDevice: device });
  const inputs = seededInputs(model.graph);
  await model.run(inputs);
  // What tuning takes it gives back.
  await model.tuned;
  used = { device, memory, model, inputs };
}

/** Bytes of the GPU after so many more inferences, three in flight at once. */
export async function infer({ count }: { count: number }) {
  const { model, inputs, memory } = used!;
  let left = count;
  const worker = async () => {
    while (left-- > 0) await model.run(inputs);
  };
  await Promise.all([worker(), worker(), worker()]);
  return memory.bytes();
}

/** Bytes that are left after it is disposed of. */
export function end() {
  const { model, memory, device } = used!;
  model.dispose();
  const left = memory.bytes();
  device.destroy();
  used = null;
  return left;
}

/** Bytes that are left after each of so many models is loaded, used and disposed of on one device, some in the middle of a call. */
export async function cycles({ count }: { count: number }) {
  const device = await openDevice();
  const memory = countMemory(device);
  let most = 0;
  for (let i = 0; i < count; i++) {
    const model = await load('v1-0.25-32', { plan: 'unfused', gpuDevice: device, device: 'webgpu' });
    const running = model.run(seededInputs(model.graph)).catch(() => {});
    if (i % 3 > 0) await running;
    if (i % 3 > 1) model.tune({ budgetMs: 5, cache: null }).catch(() => {});
    model.dispose();
    await running;
    await model.tuned?.catch(() => {});
    most = Math.max(most, memory.bytes());
  }
  device.destroy();
  return most;
}
