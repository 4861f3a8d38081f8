import { bufferUsage, createBuffer, guarded, inScope, type Keep } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { settle } from '../device/settle.ts';
import { DeviceError } from '../errors.ts';
import type { Program } from '../kernels/kernel.ts';
import { FOUND_BYTES, largestDifferenceProgram } from '../kernels/largest-difference.ts';
import { type StoredTensor, trialValuesProgram } from '../kernels/trial-values.ts';
import { bytesPerElement, type Placement } from '../planner/plan.ts';
import { preludeNames, shaderCode } from '../wgsl/shader-code.ts';
import { packUniform } from '../wgsl/uniform.ts';
import { ArenaPool } from './arena-pool.ts';
import { DispatchClock } from './dispatch-time.ts';
import type { Executor } from './executor.ts';
import type { PlanResources } from './plan-resources.ts';

const { COPY_DST, COPY_SRC, MAP_READ, STORAGE, UNIFORM } = bufferUsage;

/** Uniforms of the dispatches of one submit lie so far apart, and there are at most so many. */
const UNIFORM_BYTES = 256;
const MOST_UNIFORMS = 256;

/** Bytes that one dispatch makes NaN: a binding may have fewer than a buffer. */
const NAN_BYTES = 2 ** 26;

/** Values for the inputs of a plan: multiples of 2^-12, up to `most` of them; as many as there are inputs. */
export interface TrialInput {
  readonly tensor: string;
  readonly most: number;
}

/** How two tensors differ. */
export interface TensorDifference {
  readonly largest: number;
  /** Whether every number of both is finite. */
  readonly finite: boolean;
}

/**
 * What plans are tried with: inputs made on the GPU, an output compared there with one that was kept, and a clock. A few
 * bytes are read back. One thing at a time.
 */
export class TrialBench {
  readonly gpu: Gpu;
  readonly clock: DispatchClock;
  /** For the plans of trials. */
  readonly arena: ArenaPool;
  readonly #uniforms: GPUBuffer;
  readonly #found: GPUBuffer;
  readonly #readback: GPUBuffer;
  /** The output that others are compared with. */
  #kept: GPUBuffer | null = null;

  private constructor(gpu: Gpu, clock: DispatchClock, keep: Keep) {
    const { device } = gpu;
    const bytes = 256 * FOUND_BYTES;
    this.gpu = gpu;
    this.clock = clock;
    this.arena = new ArenaPool(device);
    const create = (label: string, size: number, usage: number) => keep(createBuffer(device, label, size, usage));
    this.#uniforms = create('trial uniforms', MOST_UNIFORMS * UNIFORM_BYTES, UNIFORM | COPY_DST);
    this.#found = create('differences', bytes, STORAGE | COPY_SRC);
    this.#readback = create('readback of differences', bytes, MAP_READ | COPY_DST);
  }

  /** Throws `OutOfMemoryError`, `DeviceError`, `DeviceLostError`. */
  static async create(gpu: Gpu): Promise<TrialBench> {
    gpu.check();
    const clock = await DispatchClock.create(gpu);
    try {
      return await guarded(gpu.device, 'buffers for trials', (keep) => new TrialBench(gpu, clock, keep));
    } catch (error) {
      clock.dispose();
      throw error;
    }
  }

  /**
   * Runs a plan of one dispatch on made-up inputs, its output NaN before, and compares that with the one kept; `keep`:
   * keeps it, and looks only whether it is finite. Throws as `guarded` does, `DeviceError` where the device refuses the
   * submit, `DeviceLostError`.
   */
  async compare(
    resources: PlanResources,
    inputs: readonly TrialInput[],
    output: string,
    { keep = false } = {},
  ): Promise<TensorDifference> {
    const { plan, arena } = resources;
    const placement = plan.tensors[output]!;
    const tensor = storedAs(placement);
    const buffer = arena[placement.buffer]!;
    if (keep) await this.#makeKept(placement.bytes);
    const difference = largestDifferenceProgram(tensor);
    const steps = [
      await this.#fill(buffer, placement, tensor, 0, 0),
      ...(await this.#fillInputs(plan.tensors, arena, inputs)),
    ];
    const compare = await this.#step(difference, [
      { buffer, offset: placement.offset, size: placement.bytes },
      { buffer: this.#kept!, size: placement.bytes },
      { buffer: this.#found },
    ]);
    const bytes = difference.workgroups[0] * FOUND_BYTES;
    await this.#run(resources, steps, (encoder) => {
      if (keep) encoder.copyBufferToBuffer(buffer, placement.offset, this.#kept!, 0, placement.bytes);
      const comparing = encoder.beginComputePass();
      this.#encode(comparing, compare, steps.length);
      comparing.end();
      encoder.copyBufferToBuffer(this.#found, 0, this.#readback, 0, bytes);
    });
    await settle(this.gpu, this.#readback.mapAsync(1 /* GPUMapMode.READ */, 0, bytes));
    try {
      this.gpu.check();
      const found = new Float32Array(this.#readback.getMappedRange(0, bytes));
      const of = (which: number) => found.filter((_, i) => i % 2 === which);
      return { largest: Math.max(...of(0)), finite: of(1).every((flag) => flag === 0) };
    } finally {
      this.#readback.unmap();
    }
  }

  /** Runs a plan once on made-up inputs from −1 to 1. Throws as `compare` does. */
  async fill(resources: PlanResources): Promise<void> {
    const { plan, arena } = resources;
    const inputs = plan.inputs.map((tensor) => ({ tensor, most: 2 ** 12 }));
    await this.#run(resources, await this.#fillInputs(plan.tensors, arena, inputs));
  }

  /**
   * The outputs of a plan for made-up inputs from −1 to 1, from an arena that was NaN: what no kernel writes shows. The
   * page waits meanwhile. Throws as `compare` does.
   */
  async outputsOf(executor: Executor): Promise<Record<string, Float32Array>> {
    const { plan, resources } = executor;
    const steps: Step[] = [];
    for (const [i, buffer] of resources.arena.entries()) {
      for (let offset = 0; offset < plan.arena[i]!; offset += NAN_BYTES) {
        const bytes = Math.min(NAN_BYTES, plan.arena[i]! - offset);
        const tensor = { bytes, channels: 4, element: 4, dense: true } as const;
        steps.push(await this.#fill(buffer, { offset, bytes }, tensor, 0, 0));
      }
    }
    const inputs = plan.inputs.map((tensor) => ({ tensor, most: 2 ** 12 }));
    steps.push(...(await this.#fillInputs(plan.tensors, resources.arena, inputs)));
    return executor.exclusive(async () => {
      await this.#run(resources, steps);
      const outputs: Record<string, Float32Array> = {};
      for (const { name, tensor } of plan.outputs) outputs[name] = await executor.readTensor(tensor);
      return outputs;
    });
  }

  /** Frees all of it but what plans hold. */
  dispose(): void {
    this.clock.dispose();
    for (const buffer of [this.#uniforms, this.#found, this.#readback, this.#kept]) buffer?.destroy();
  }

  async #makeKept(bytes: number): Promise<void> {
    if (this.#kept && this.#kept.size >= bytes && this.#kept.size <= 2 * bytes) return;
    this.#kept?.destroy();
    this.#kept = null;
    const { device } = this.gpu;
    this.#kept = await guarded(device, 'an output to compare with', (keep) =>
      keep(createBuffer(device, 'kept output', bytes, STORAGE | COPY_DST)),
    );
  }

  #fillInputs(
    tensors: Readonly<Record<string, Placement>>,
    arena: readonly GPUBuffer[],
    inputs: readonly TrialInput[],
  ): Promise<Step[]> {
    return Promise.all(
      inputs.map(({ tensor, most }, i) => {
        const placement = tensors[tensor]!;
        return this.#fill(arena[placement.buffer]!, placement, storedAs(placement), most, i + 1);
      }),
    );
  }

  #fill(
    buffer: GPUBuffer,
    { offset, bytes }: { readonly offset: number; readonly bytes: number },
    tensor: StoredTensor,
    most: number,
    seed: number,
  ): Promise<Step> {
    return this.#step(trialValuesProgram(tensor, most, seed), [{ buffer, offset, size: bytes }]);
  }

  async #step({ file, source, overrides, shape, workgroups }: Program, bound: GPUBufferBinding[]): Promise<Step> {
    const code = shaderCode(file, source, preludeNames({ precision: 'float32' }));
    const reads = bound.slice(1).map(() => 'read' as const);
    const bindings = ['uniform', ...reads, 'write'] as const;
    const [pipeline] = await compilePipelines(this.gpu.device, [{ label: file, code, overrides, bindings }]);
    return { pipeline: pipeline!, words: packUniform(file, source, shape), bound, workgroups };
  }

  /** In one submit the steps, the plan's dispatches, and what `after` encodes. */
  async #run(
    resources: PlanResources,
    steps: readonly Step[],
    after?: (encoder: GPUCommandEncoder) => void,
  ): Promise<void> {
    const { device } = this.gpu;
    const label = resources.plan.graph;
    const invalid = await inScope(device, () => {
      const encoder = device.createCommandEncoder({ label });
      const pass = encoder.beginComputePass();
      for (const [i, step] of steps.entries()) this.#encode(pass, step, i);
      resources.encode(pass);
      pass.end();
      after?.(encoder);
      device.queue.submit([encoder.finish()]);
    });
    if (invalid) throw new DeviceError(`${label}: the GPU refused to run it (${invalid.message})`);
  }

  /** The step of this index in a submit; its uniform is uploaded. */
  #encode(pass: GPUComputePassEncoder, { pipeline, words, bound, workgroups }: Step, index: number): void {
    const { device } = this.gpu;
    const offset = index * UNIFORM_BYTES;
    const uniform = { buffer: this.#uniforms, offset, size: 16 * Math.ceil(words.length / 4) };
    const entries = [uniform, ...bound].map((resource, binding) => ({ binding, resource }));
    device.queue.writeBuffer(this.#uniforms, offset, new Uint32Array(words));
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...workgroups);
  }
}

/** A dispatch beside a plan's own. */
interface Step {
  readonly pipeline: GPUComputePipeline;
  readonly words: readonly number[];
  readonly bound: readonly GPUBufferBinding[];
  readonly workgroups: readonly [number, number, number];
}

const storedAs = ({ bytes, shape, precision, dense }: Placement): StoredTensor => ({
  bytes,
  channels: shape[3],
  element: bytesPerElement(precision) as StoredTensor['element'],
  dense: dense ?? false,
});
