import { bufferUsage, createBuffer, guarded } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { settle } from '../device/settle.ts';
import { seededUniform } from '../graph/random.ts';
import { probeProgram } from '../kernels/int8-probe.ts';
import { EXACT, PACKED_DOT } from '../kernels/kernel.ts';
import { shaderCode } from '../wgsl/shader-code.ts';
import { packUniform } from '../wgsl/uniform.ts';

const COUNT = 4096;

/** By device: probed once. */
const probed = new WeakMap<GPUDevice, Promise<readonly string[]>>();

/**
 * What the kernels of stored integers may suppose of a device, which joins its features: that floats are those of
 * IEEE 754, to nearest; that the packed dot product is there and right. It is tried, whatever the browser lists: a device that
 * gives another result, or refuses the shader, has not the feature. Throws `DeviceLostError`.
 */
export async function probeIntegers(gpu: Gpu): Promise<void> {
  const probing = probed.get(gpu.device) ?? probe(gpu);
  probed.set(gpu.device, probing);
  probing.catch(() => probed.delete(gpu.device));
  gpu.learn(await probing);
}

async function probe(gpu: Gpu): Promise<string[]> {
  const listed = globalThis.navigator?.gpu?.wgslLanguageFeatures?.has(PACKED_DOT) ?? true;
  const [exact, dot] = await Promise.all([
    holds(gpu, false, productPairs(), product),
    listed ? holds(gpu, true, bytePairs(), dotProduct) : false,
  ]);
  return [...(exact ? [EXACT] : []), ...(dot ? [PACKED_DOT] : [])];
}

/** Whether the device gives for every pair what `expected` does. */
async function holds(gpu: Gpu, dot: boolean, pairs: Int32Array, expected: (a: number, b: number) => number) {
  try {
    const found = await run(gpu, dot, pairs);
    return found.every((value, i) => value === expected(pairs[2 * i]!, pairs[2 * i + 1]!));
  } catch {
    gpu.check();
    return false;
  }
}

async function run(gpu: Gpu, dot: boolean, pairs: Int32Array): Promise<Int32Array> {
  const { device } = gpu;
  const { file, source, constants, overrides, prelude, shape, workgroups } = probeProgram(COUNT, dot);
  const code = shaderCode(file, source, constants, {}, prelude);
  const bindings = ['uniform', 'read', 'write'] as const;
  const [pipeline] = await compilePipelines(device, [{ label: file, code, overrides, bindings }]);
  const { COPY_DST, COPY_SRC, MAP_READ, STORAGE, UNIFORM } = bufferUsage;
  const made: GPUBuffer[] = [];
  try {
    const mapped = await guarded(device, 'a probe of integers', (keep) => {
      const create = (bytes: number, usage: number) => {
        made.push(keep(createBuffer(device, 'probe', bytes, usage)));
        return made.at(-1)!;
      };
      const [uniform, input] = [create(16, UNIFORM | COPY_DST), create(8 * COUNT, STORAGE | COPY_DST)];
      const [output, readback] = [create(4 * COUNT, STORAGE | COPY_SRC), create(4 * COUNT, MAP_READ | COPY_DST)];
      device.queue.writeBuffer(uniform, 0, new Uint32Array(packUniform(file, source, shape)));
      device.queue.writeBuffer(input, 0, pairs as Int32Array<ArrayBuffer>);
      const entries = [uniform, input, output].map((buffer, binding) => ({ binding, resource: { buffer } }));
      const encoder = device.createCommandEncoder({ label: 'probe' });
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline!);
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline!.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
      encoder.copyBufferToBuffer(output, 0, readback, 0, 4 * COUNT);
      device.queue.submit([encoder.finish()]);
      return readback;
    });
    await settle(gpu, mapped.mapAsync(1 /* GPUMapMode.READ */));
    return new Int32Array(mapped.getMappedRange().slice(0));
  } finally {
    for (const buffer of made) buffer.destroy();
  }
}

const floats = new Float32Array(1);
const bits = new Int32Array(floats.buffer);

function bitsOf(value: number): number {
  floats[0] = value;
  return bits[0]!;
}

/** Sums of every magnitude, halfway between two floats from 2^24 on among them, and multipliers of every mantissa. */
function productPairs(): Int32Array {
  const random = seededUniform(1);
  const pairs = new Int32Array(2 * COUNT);
  for (let i = 0; i < COUNT; i++) {
    const width = i % 31;
    const spread = 2 ** Math.max(0, width - 24);
    const whole = Math.floor((1 + random()) * 2 ** width) / spread;
    const sum = (Math.floor(whole) + (i % 2 === 0 ? 0.5 : random())) * spread;
    pairs[2 * i] = Math.floor(random() < 0.5 ? -sum : sum);
    pairs[2 * i + 1] = bitsOf(Math.fround((1 + random()) * 2 ** -Math.floor(random() * 30)));
  }
  return pairs;
}

/** As the reference computes it. */
function product(sum: number, multiplier: number): number {
  bits[0] = multiplier;
  return bitsOf(Math.fround(Math.fround(sum) * floats[0]!));
}

/** Bytes at random, and at their ends. */
function bytePairs(): Int32Array {
  const random = seededUniform(2);
  const bytes = Int8Array.from({ length: 8 * COUNT }, (_, i) =>
    i < 64 ? [-128, 127, -1, 0][(i * 7) % 4]! : Math.floor(random() * 256) - 128,
  );
  return new Int32Array(bytes.buffer);
}

function dotProduct(a: number, b: number): number {
  let sum = 0;
  for (let shift = 24; shift >= 0; shift -= 8) sum += ((a << shift) >> 24) * ((b << shift) >> 24);
  return sum;
}
