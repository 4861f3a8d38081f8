import { bufferUsage, createBuffer, guarded, type Keep } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { unlessAborted } from '../device/unless-aborted.ts';
import { DeviceError } from '../errors.ts';
import { LARGEST_TEXTURE } from '../kernels/kernel.ts';
import type { BoundRange, ConstantSlot, ConstantUpload, DeviceLimits, Plan, TextureSpec } from '../planner/plan.ts';
import { type Arena, ArenaPool } from './arena-pool.ts';

const { COPY_DST, STORAGE, UNIFORM } = bufferUsage;
// GPUTextureUsage is not a global in Node.
const COPY_DST_TEXTURE = 0x02;
const TEXTURE_BINDING = 0x04;

/** Packed weights in the order of `plan.constants`, or batches of them by and by. */
export type Constants = Iterable<ConstantUpload> | AsyncIterable<Iterable<ConstantUpload>>;

export interface ResourceOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onCompiled?: ((done: number, total: number) => void) | undefined;
  /** Where the arena comes from: plans of one pool share their memory. Its own unless given. */
  readonly arena?: ArenaPool | undefined;
}

/**
 * What a plan needs on a device: pipelines, the arena, constants, textures, uniforms, and a bind group a dispatch. All of
 * it is made at once, or freed where a part of it fails.
 */
export class PlanResources {
  readonly gpu: Gpu;
  readonly plan: Plan;
  readonly #arena: Arena;
  readonly #constants: GPUBuffer;
  readonly #textures: readonly GPUTexture[];
  readonly #uniforms: GPUBuffer;
  #pipelines: readonly GPUComputePipeline[] = [];
  #bindGroups: readonly GPUBindGroup[] = [];

  private constructor(gpu: Gpu, plan: Plan, keep: Keep, pool: ArenaPool) {
    const { device } = gpu;
    const create = (label: string, bytes: number, usage: number) => keep(createBuffer(device, label, bytes, usage));
    this.gpu = gpu;
    this.plan = plan;
    this.#uniforms = create('uniforms', 4 * plan.uniforms.length, UNIFORM | COPY_DST);
    device.queue.writeBuffer(this.#uniforms, 0, new Uint32Array(plan.uniforms));
    this.#arena = keep(pool.take(plan.arena));
    this.#constants = create('constants', plan.constantBytes, STORAGE | UNIFORM | COPY_DST);
    this.#textures = plan.textures.map((spec, i) => keep(device.createTexture(textureOf(`weights ${i}`, spec))));
  }

  get arena(): readonly GPUBuffer[] {
    return this.#arena.buffers;
  }

  /**
   * Compiles, allocates and uploads; constants are uploaded while the pipelines compile. Throws `DeviceError` before it
   * begins where the device's limits are too small; `ShaderError`, `OutOfMemoryError`, `DeviceError`, `DeviceLostError`,
   * what `constants` throws, and the signal's reason, at once: a compiler or a download under way is not waited for.
   */
  static async create(
    gpu: Gpu,
    plan: Plan,
    constants: Constants,
    { signal, onCompiled, arena = new ArenaPool(gpu.device) }: ResourceOptions = {},
  ): Promise<PlanResources> {
    signal?.throwIfAborted();
    gpu.check();
    const { device } = gpu;
    checkLimits(plan, device.limits);
    const compiling = compilePipelines(device, plan.pipelines, { signal, onCompiled });
    // A refusal is reported by the await below, whatever fails first.
    compiling.catch(() => {});
    const made = await guarded(device, `buffers of ${plan.graph}`, (keep) => new PlanResources(gpu, plan, keep, arena));
    let failed = false;
    const upload = async () => {
      for await (const batch of Symbol.asyncIterator in constants ? constants : [constants]) {
        if (failed) return;
        gpu.check();
        await guarded(device, `weights of ${plan.graph}`, () => {
          for (const { slot, data } of batch) {
            signal?.throwIfAborted();
            made.writeConstant(slot, data);
          }
        });
      }
    };
    try {
      const [pipelines] = await unlessAborted(Promise.all([compiling, upload()]), signal);
      made.#pipelines = pipelines;
      made.#bindGroups = await guarded(device, `bind groups of ${plan.graph}`, () => made.#bind());
      signal?.throwIfAborted();
      gpu.check();
      return made;
    } catch (error) {
      failed = true;
      made.dispose();
      throw error;
    }
  }

  #bind(): GPUBindGroup[] {
    return this.plan.dispatches.map(({ node, pipeline, bindings }) =>
      this.gpu.device.createBindGroup({
        label: node,
        layout: this.#pipelines[pipeline]!.getBindGroupLayout(0),
        entries: bindings.map((range, binding) => ({ binding, resource: this.resourceOf(range) })),
      }),
    );
  }

  /** What a range of the plan is bound to. */
  resourceOf(range: BoundRange): GPUBindingResource {
    if (range.kind === 'texture') return this.#textures[range.texture]!.createView();
    const single = range.kind === 'uniform' ? this.#uniforms : this.#constants;
    const buffer = range.kind === 'arena' ? this.arena[range.buffer]! : single;
    return { buffer, offset: range.offset, size: range.bytes };
  }

  /** Uploads a packed constant. */
  writeConstant(slot: ConstantSlot, values: ConstantUpload['data']): void {
    const { queue } = this.gpu.device;
    const data = values as Float32Array<ArrayBuffer>;
    if (slot.texture === undefined) {
      queue.writeBuffer(this.#constants, slot.offset, data);
      return;
    }
    const texture = this.#textures[slot.texture]!;
    const { width, height } = this.plan.textures[slot.texture]!;
    queue.writeTexture({ texture }, data, { bytesPerRow: data.byteLength / height }, [width, height]);
  }

  /** Encodes dispatches `from` to `to` (all unless given) into a pass. */
  encode(pass: GPUComputePassEncoder, from = 0, to = this.plan.dispatches.length): void {
    let current = -1;
    for (let i = from; i < to; i++) {
      const { pipeline, workgroups } = this.plan.dispatches[i]!;
      if (pipeline !== current) pass.setPipeline(this.#pipelines[pipeline]!);
      current = pipeline;
      pass.setBindGroup(0, this.#bindGroups[i]!);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
  }

  /** Frees buffers and textures, but for what other plans of the pool hold. */
  dispose(): void {
    for (const object of [this.#arena, this.#constants, ...this.#textures, this.#uniforms]) object.destroy();
  }
}

/** Throws `DeviceError` where a plan needs a larger buffer or binding than there may be. */
function checkLimits(plan: Plan, { maxBufferSize, maxStorageBufferBindingSize }: DeviceLimits): void {
  const check = (what: string, bytes: number, limit: number, named: string) => {
    if (bytes <= limit) return;
    throw new DeviceError(
      `${plan.graph}: ${what} needs ${bytes} bytes, more than the ${limit} that this device allows (${named}); ` +
        'use smaller pictures, a smaller batch or a smaller model',
    );
  };
  const binding = (what: string, bytes: number) =>
    check(what, bytes, maxStorageBufferBindingSize, 'maxStorageBufferBindingSize');
  for (const [name, { shape, bytes }] of Object.entries(plan.tensors)) binding(`tensor "${name}" of [${shape}]`, bytes);
  for (const { node, bytes, texture } of plan.constants) {
    if (texture === undefined) binding(`a weight of node "${node}"`, bytes);
  }
  const outputs = plan.outputs.reduce((sum, { tensor }) => sum + plan.tensors[tensor]!.bytes, 0);
  const buffers = {
    'a buffer of tensors': Math.max(0, ...plan.arena),
    'the buffer of weights': plan.constantBytes,
    'the buffer of outputs': outputs,
  };
  for (const [what, bytes] of Object.entries(buffers)) check(what, bytes, maxBufferSize, 'maxBufferSize');
}

const textureOf = (label: string, { width, height, format }: TextureSpec): GPUTextureDescriptor => ({
  label,
  size: [sideOfTexture(width), sideOfTexture(height)],
  format,
  usage: COPY_DST_TEXTURE | TEXTURE_BINDING,
});

/** At least `side`, no power of two but the largest: lavapipe compiles a shader once more for textures with such sides. */
function sideOfTexture(side: number): number {
  if ((side & (side - 1)) !== 0 || side === LARGEST_TEXTURE) return side;
  return Math.max(3, side + 1);
}
