import { guarded, type Keep } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { LARGEST_TEXTURE } from '../kernels/kernel.ts';
import type { BoundRange, ConstantSlot, ConstantUpload, Plan, TextureSpec } from '../planner/plan.ts';

// GPUBufferUsage is not a global in Node.
const COPY_SRC = 0x0004;
const COPY_DST = 0x0008;
const UNIFORM = 0x0040;
const STORAGE = 0x0080;
const COPY_DST_TEXTURE = 0x02;
const TEXTURE_BINDING = 0x04;

/** Packed weights in the order of `plan.constants`, or batches of them by and by. */
export type Constants = Iterable<ConstantUpload> | AsyncIterable<Iterable<ConstantUpload>>;

/** Where memory comes from: a device, or a pool that gives what it keeps, as large as asked for or larger. */
export type Memory = Pick<GPUDevice, 'createBuffer' | 'createTexture'>;

export interface ResourceOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onCompiled?: ((done: number, total: number) => void) | undefined;
  /**
   * Gives the buffers (labels `arena 0` …, `constants`, `uniforms`) and textures (`weights 0` …), and keeps them: they are
   * not freed with the plan. Whoever shares them between plans sees to it that no two use the same ones at a time.
   */
  readonly pool?: Memory | undefined;
}

/**
 * What a plan needs on a device: pipelines, the arena, constants, textures, uniforms, and a bind group a dispatch. All of
 * it is made at once, or freed where a part of it fails.
 */
export class PlanResources {
  readonly gpu: Gpu;
  readonly plan: Plan;
  readonly arena: readonly GPUBuffer[];
  readonly #constants: GPUBuffer;
  readonly #textures: readonly GPUTexture[];
  readonly #uniforms: GPUBuffer;
  readonly #pooled: boolean;
  #pipelines: readonly GPUComputePipeline[] = [];
  #bindGroups: readonly GPUBindGroup[] = [];

  private constructor(gpu: Gpu, plan: Plan, keep: Keep, pool: Memory | undefined) {
    const memory = pool ?? gpu.device;
    const own: Keep = pool ? (object) => object : keep;
    const create = (label: string, bytes: number, usage: number) =>
      own(memory.createBuffer({ label, size: Math.max(16, Math.ceil(bytes / 16) * 16), usage }));
    this.gpu = gpu;
    this.plan = plan;
    this.#pooled = pool !== undefined;
    this.#uniforms = create('uniforms', 4 * plan.uniforms.length, UNIFORM | COPY_DST);
    gpu.device.queue.writeBuffer(this.#uniforms, 0, new Uint32Array(plan.uniforms));
    this.arena = plan.arena.map((bytes, i) => create(`arena ${i}`, bytes, STORAGE | COPY_SRC | COPY_DST));
    this.#constants = create('constants', plan.constantBytes, STORAGE | UNIFORM | COPY_DST);
    this.#textures = plan.textures.map((spec, i) => own(memory.createTexture(textureOf(`weights ${i}`, spec))));
  }

  /**
   * Compiles, allocates and uploads; constants are uploaded while the pipelines compile. Throws `ShaderError`,
   * `OutOfMemoryError`, `DeviceError`, `DeviceLostError`, and what `constants` throws.
   */
  static async create(
    gpu: Gpu,
    plan: Plan,
    constants: Constants,
    { signal, onCompiled, pool }: ResourceOptions = {},
  ): Promise<PlanResources> {
    signal?.throwIfAborted();
    gpu.check();
    const { device } = gpu;
    const compiling = compilePipelines(device, plan.pipelines, { signal, onCompiled });
    // A refusal is reported by the await below, whatever fails first.
    compiling.catch(() => {});
    const made = await guarded(device, `buffers of ${plan.graph}`, (keep) => new PlanResources(gpu, plan, keep, pool));
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
      const [pipelines] = await Promise.all([compiling, upload()]);
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
  writeConstant(slot: ConstantSlot, values: Float32Array | Uint16Array): void {
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

  /** Frees buffers and textures, but for those of a pool. */
  dispose(): void {
    if (this.#pooled) return;
    for (const object of [...this.arena, this.#constants, ...this.#textures, this.#uniforms]) object.destroy();
  }
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
