import { bufferUsage, createBuffer, guarded, inScope } from '../device/buffers.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { UsageError } from '../errors.ts';
import { tensorLayoutProgram } from '../kernels/tensor-layout.ts';
import { isHalf, type Placement } from '../planner/plan.ts';
import { preludeNames, shaderCode } from '../wgsl/shader-code.ts';
import { packUniform } from '../wgsl/uniform.ts';
import type { Beside, Executor } from './executor.ts';
import { Readout } from './readout.ts';

/** A buffer of the caller's, and the input that it holds or the output that it is to hold. */
export interface BoundBuffer {
  readonly name: string;
  readonly buffer: GPUBuffer;
  readonly is: 'input' | 'output';
  readonly channelsFirst: boolean;
}

/** Moves a tensor of the plan from buffers, or to them. */
interface Mover {
  readonly pipeline: GPUComputePipeline;
  readonly uniform: GPUBuffer;
  readonly tensor: GPUBindingResource;
  readonly workgroups: readonly [number, number, number];
  readonly groups: WeakMap<GPUBuffer, GPUBindGroup>;
}

/** Enough to be read back once a run has ended of which nothing else is. */
const SIGN_BYTES = 4;

/**
 * The dispatches by which an executor's inputs come from buffers of the caller's, and its outputs go there: of a buffer
 * like one before, a run makes no GPU object.
 */
export class BufferStage {
  readonly #executor: Executor;
  readonly #movers = new Map<string, Mover>();
  readonly #readouts = new Map<string, Readout>();
  #disposed = false;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  /** Whether all is made for a run of these. */
  fits(buffers: readonly BoundBuffer[]): boolean {
    const made = buffers.every((bound) => this.#movers.get(keyOf(bound))?.groups.has(bound.buffer));
    return made && this.#readouts.has(this.#readoutKey(buffers));
  }

  /** Makes what is missing. Throws `UsageError` where a buffer cannot be bound, `OutOfMemoryError`, `DeviceError`. */
  async prepare(buffers: readonly BoundBuffer[]): Promise<void> {
    try {
      for (const bound of buffers) {
        const mover = this.#movers.get(keyOf(bound)) ?? (await this.#makeMover(bound));
        if (!mover.groups.has(bound.buffer)) await this.#bind(mover, bound);
      }
      await this.#makeReadout(buffers);
    } finally {
      // What was made since then.
      if (this.#disposed) this.dispose();
    }
    this.#executor.check();
  }

  async #makeReadout(buffers: readonly BoundBuffer[]): Promise<void> {
    const { gpu, plan } = this.#executor;
    const key = this.#readoutKey(buffers);
    if (this.#readouts.has(key)) return;
    const others = plan.outputs.filter(({ name }) => !isOutput(buffers, name));
    const readout = await guarded(gpu.device, `readback of ${plan.graph}`, (keep) => {
      return new Readout(gpu.device, plan, others, keep, SIGN_BYTES);
    });
    this.#readouts.set(key, readout);
  }

  /** Of buffers that it `fits`: what a run does beside the plan's dispatches. `values`: of the other inputs. */
  beside(buffers: readonly BoundBuffer[], values: readonly (Float32Array | null)[]): Beside {
    const { plan, resources } = this.#executor;
    const move = (pass: GPUComputePassEncoder, is: BoundBuffer['is']) => {
      for (const bound of buffers) {
        if (bound.is !== is) continue;
        const { pipeline, groups, workgroups } = this.#movers.get(keyOf(bound))!;
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, groups.get(bound.buffer)!);
        pass.dispatchWorkgroups(...workgroups);
      }
    };
    const upload = () => {
      this.#executor.upload(values);
      return (pass: GPUComputePassEncoder) => {
        move(pass, 'input');
        return 0;
      };
    };
    const copy = (encoder: GPUCommandEncoder, _count: number, readback: GPUBuffer, at: number) => {
      const { buffer, offset } = plan.tensors[plan.outputs[0]!.tensor]!;
      encoder.copyBufferToBuffer(resources.arena[buffer]!, offset, readback, at, SIGN_BYTES);
      return SIGN_BYTES;
    };
    const stage = { encode: (pass: GPUComputePassEncoder) => move(pass, 'output'), copy, read: () => [] };
    return { upload, ranker: { stage, readout: this.#readouts.get(this.#readoutKey(buffers))! } };
  }

  async #makeMover(bound: BoundBuffer): Promise<Mover> {
    const { gpu, resources } = this.#executor;
    const { device } = gpu;
    const placement = this.#placementOf(bound);
    const { shape, dense = false, precision } = placement;
    const take = bound.is === 'input';
    const program = tensorLayoutProgram(shape, bound.channelsFirst, dense, take);
    const half = isHalf(precision);
    const names = preludeNames({ precision, src: half && !take, dst: half && take });
    const code = shaderCode(program.file, program.source, { ...program.constants, ...names });
    const spec = { label: program.file, code, overrides: program.overrides };
    const [pipeline] = await compilePipelines(device, [{ ...spec, bindings: ['uniform', 'read', 'write'] }]);
    this.#executor.check();
    const words = new Uint32Array(packUniform(program.file, program.source, program.shape));
    const { UNIFORM, COPY_DST } = bufferUsage;
    const uniform = await guarded(device, `layout of ${bound.name}`, (keep) =>
      keep(createBuffer(device, bound.name, words.byteLength, UNIFORM | COPY_DST)),
    );
    device.queue.writeBuffer(uniform, 0, words);
    const tensor = resources.resourceOf({ kind: 'arena', ...placement });
    const mover = { pipeline: pipeline!, uniform, tensor, workgroups: program.workgroups, groups: new WeakMap() };
    this.#movers.set(keyOf(bound), mover);
    return mover;
  }

  async #bind({ pipeline, uniform, tensor, groups }: Mover, { name, buffer, is }: BoundBuffer): Promise<void> {
    const { device } = this.#executor.gpu;
    const most = device.limits.maxStorageBufferBindingSize;
    if (buffer.size > most) {
      throw new UsageError(
        `${is} "${name}": the buffer has ${buffer.size} bytes, of which this GPU binds at most ${most} ` +
          `(maxStorageBufferBindingSize): ${is === 'input' ? 'give an array' : 'leave it out of "into"'}`,
      );
    }
    const own = { buffer };
    const resources = [{ buffer: uniform }, ...(is === 'input' ? [own, tensor] : [tensor, own])];
    let thrown: unknown = null;
    const refusal = await inScope(device, () => {
      try {
        const layout = pipeline.getBindGroupLayout(0);
        const entries = resources.map((resource, binding) => ({ binding, resource }));
        groups.set(buffer, device.createBindGroup({ label: name, layout, entries }));
      } catch (error) {
        thrown = error;
      }
    });
    if (!refusal && !thrown) return;
    groups.delete(buffer);
    this.#executor.gpu.check();
    throw new UsageError(
      `${is} "${name}": the buffer is not of the model's device, or was destroyed ` +
        `(${refusal?.message ?? (thrown as Error).message}); make it by model.gpuDevice, or load with the option gpuDevice`,
    );
  }

  #placementOf({ name, is }: BoundBuffer): Placement {
    const { plan } = this.#executor;
    return plan.tensors[is === 'input' ? name : plan.outputs.find((output) => output.name === name)!.tensor]!;
  }

  /** The outputs that are read back. */
  #readoutKey(buffers: readonly BoundBuffer[]): string {
    return JSON.stringify(this.#executor.plan.outputs.map(({ name }) => isOutput(buffers, name)));
  }

  dispose(): void {
    this.#disposed = true;
    for (const { uniform } of this.#movers.values()) uniform.destroy();
    for (const readout of this.#readouts.values()) readout.dispose();
  }
}

const keyOf = ({ name, is, channelsFirst }: BoundBuffer): string => JSON.stringify([is, channelsFirst, name]);

const isOutput = (buffers: readonly BoundBuffer[], output: string): boolean =>
  buffers.some(({ is, name }) => is === 'output' && name === output);
