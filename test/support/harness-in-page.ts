/** What the test of the harness calls in the browser; it uses WebGPU and nothing of this package but errors. */
import { GraphError } from '../../src/errors.ts';
import source from './scaled-add.wgsl?raw';

async function openDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  return adapter!.requestDevice();
}

/** a·SCALE + b, one invocation an element. */
export async function scaledAdd({ a, b, scale }: { a: Float32Array; b: Float32Array; scale: number }) {
  const device = await openDevice();
  const upload = (values: Float32Array) => {
    const buffer = device.createBuffer({
      label: 'input',
      size: values.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(buffer, 0, values.slice());
    return buffer;
  };
  const size = a.byteLength;
  const output = device.createBuffer({
    label: 'output',
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const readback = device.createBuffer({
    label: 'readback',
    size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const pipeline = await device.createComputePipelineAsync({
    label: 'scaled-add',
    layout: 'auto',
    compute: {
      module: device.createShaderModule({ label: 'scaled-add', code: source }),
      entryPoint: 'main',
      constants: { SCALE: scale, WORKGROUP: 8 },
    },
  });
  const group = device.createBindGroup({
    label: 'scaled-add',
    layout: pipeline.getBindGroupLayout(0),
    entries: [upload(a), upload(b), output].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder({ label: 'scaled-add' });
  const pass = encoder.beginComputePass({ label: 'scaled-add' });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(Math.ceil(a.length / 8));
  pass.end();
  encoder.copyBufferToBuffer(output, 0, readback, 0, size);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(GPUMapMode.READ);
  const result = new Float32Array(readback.getMappedRange().slice(0));
  device.destroy();
  return { result, label: 'scaled-add' };
}

export async function environment() {
  const adapter = await navigator.gpu.requestAdapter();
  const info = adapter!.info;
  return {
    isolated: globalThis.crossOriginIsolated,
    info: { vendor: info.vendor, architecture: info.architecture, description: info.description },
    features: [...adapter!.features],
    storageBuffers: adapter!.limits.maxStorageBuffersPerShaderStage,
  };
}

export function fail(): never {
  throw new GraphError('tensor "x" has no producer');
}

export async function countTo(last: number): Promise<number> {
  for (let i = 1; i <= last; i++) await globalThis.reportProgress(`step ${i}`);
  return last;
}

export async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

export function never(): Promise<never> {
  return new Promise(() => {});
}
