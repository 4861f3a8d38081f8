import { guarded } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { settle } from '../device/settle.ts';
import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import { checkPicture, type Picture } from '../images/image-to-tensor.ts';
import { LARGEST_TEXTURE } from '../kernels/kernel.ts';
import type { BoundRange, ConstantSlot, ConstantUpload, Plan, TextureSpec } from '../planner/plan.ts';
import type { PictureStage } from './picture-stage.ts';
import type { Ranked, RankStage } from './rank-stage.ts';
import { Readout } from './readout.ts';
import { checkInputs, pack, storedBits, unpack } from './tensors.ts';

// GPUBufferUsage is not a global in Node.
const MAP_READ = 0x0001;
const COPY_SRC = 0x0004;
const COPY_DST = 0x0008;
const UNIFORM = 0x0040;
const STORAGE = 0x0080;
const COPY_DST_TEXTURE = 0x02;
const TEXTURE_BINDING = 0x04;

/** Runs in flight at once: one on the GPU, one queued behind it, one being read. */
const IN_FLIGHT = 3;

export interface ExecutorOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onCompiled?: ((done: number, total: number) => void) | undefined;
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Which classes to rank. */
export interface Ranking {
  /** The output that holds the class scores. */
  readonly output: string;
  /** Whether they are logits, not probabilities. */
  readonly logits: boolean;
  /** How many of the best are wanted. */
  readonly count: number;
}

export interface RankedOutputs {
  /** The best classes, best first; null where they are not ranked on the GPU: `outputs` holds their scores then. */
  readonly ranked: readonly Ranked[] | null;
  /** The other outputs. */
  readonly outputs: Record<string, Float32Array>;
}

/** A stage that ranks classes, and what it and the other outputs are read back into. */
interface Ranker {
  readonly stage: RankStage;
  readonly readout: Readout;
}

/** What a run does beside the plan's dispatches. */
interface Beside {
  /** Encodes what comes before them, or in the place of as many of the first as it returns. */
  readonly first?: (pass: GPUComputePassEncoder) => number;
  /** Ranks classes after them; their scores are not read back. */
  readonly ranker?: Ranker | null;
  readonly count?: number;
}

/**
 * A plan made real on a device: pipelines, buffers and bind groups are made once; a run uploads the inputs, encodes
 * every dispatch into one compute pass, submits once and reads the outputs back. A run creates no GPU object but the
 * command buffer. The queue keeps runs in order; a few are in flight at once, each with a readback buffer of its own. A
 * device that was lost makes them throw `DeviceLostError`.
 */
export class Executor {
  readonly plan: Plan;
  readonly gpu: Gpu;
  readonly #pipelines: readonly GPUComputePipeline[];
  readonly #bindGroups: readonly GPUBindGroup[];
  readonly #arena: readonly GPUBuffer[];
  readonly #constants: GPUBuffer;
  readonly #textures: readonly GPUTexture[];
  readonly #uniforms: GPUBuffer;
  /** All outputs. */
  readonly #readout: Readout;
  /** Each input as it is stored; null where that is as it comes. */
  readonly #staging: readonly (Float32Array | null)[];
  #picture: PictureStage | null = null;
  /** For an output; null where its scores cannot be ranked. */
  #ranked: (Pick<Ranking, 'output' | 'logits'> & { readonly ranker: Ranker | null }) | null = null;
  /** Runs of pictures under way that make or change what such runs share. */
  #changing = 0;
  /** Runs in flight; work that has the device to itself counts as all that there may be. */
  #active = 0;
  /** What waits, in the order in which it starts. */
  readonly #waiting: { readonly weight: number; readonly start: () => void }[] = [];
  /** When the latest run and all before it were ready to be read. */
  #latest: Promise<void> = Promise.resolve();
  #disposed = false;

  private constructor(gpu: Gpu, plan: Plan, pipelines: readonly GPUComputePipeline[], resources: Resources) {
    this.gpu = gpu;
    this.plan = plan;
    this.#pipelines = pipelines;
    this.#bindGroups = resources.bindGroups;
    this.#arena = resources.arena;
    this.#constants = resources.constants;
    this.#textures = resources.textures;
    this.#uniforms = resources.uniforms;
    this.#readout = resources.readout;
    this.#staging = plan.inputs.map((name) => {
      const { shape, dense = false } = plan.tensors[name]!;
      if (dense || shape[3] % 4 === 0) return null;
      return new Float32Array(shape[0] * shape[1] * shape[2] * 4 * Math.ceil(shape[3] / 4));
    });
  }

  /**
   * Compiles, allocates and uploads. `constants` are packed weights in the order of `plan.constants`, or batches of them
   * by and by; they are uploaded while the pipelines compile. Throws `ShaderError`, `OutOfMemoryError`, `DeviceError`,
   * `DeviceLostError`, and what `constants` throws.
   */
  static async create(
    gpu: Gpu,
    plan: Plan,
    constants: Iterable<ConstantUpload> | AsyncIterable<Iterable<ConstantUpload>>,
    { signal, onCompiled }: ExecutorOptions = {},
  ): Promise<Executor> {
    signal?.throwIfAborted();
    gpu.check();
    const { device } = gpu;
    const compiling = compilePipelines(device, plan.pipelines, { signal, onCompiled });
    // A refusal is reported by the await below, whatever fails first.
    compiling.catch(() => {});
    const buffers = await guarded(device, `buffers of ${plan.graph}`, () => createBuffers(device, plan));
    let failed = false;
    const upload = async () => {
      for await (const batch of Symbol.asyncIterator in constants ? constants : [constants]) {
        if (failed) return;
        gpu.check();
        await guarded(device, `weights of ${plan.graph}`, () => {
          for (const { slot, data } of batch) {
            signal?.throwIfAborted();
            writeConstant(device, plan, buffers, slot, data);
          }
        });
      }
    };
    try {
      const [pipelines] = await Promise.all([compiling, upload()]);
      const bindGroups = await guarded(device, `bind groups of ${plan.graph}`, () =>
        createBindGroups(device, plan, pipelines, buffers),
      );
      signal?.throwIfAborted();
      gpu.check();
      return new Executor(gpu, plan, pipelines, { ...buffers, bindGroups });
    } catch (error) {
      failed = true;
      destroyBuffers(buffers);
      throw error;
    }
  }

  /**
   * One inference: inputs are dense NHWC float32 by input name (or one array for the only input), outputs likewise.
   * Throws `UsageError` where an input does not fit.
   */
  run(
    inputs: Float32Array | Readonly<Record<string, Float32Array>>,
    { signal }: RunOptions = {},
  ): Promise<Record<string, Float32Array>> {
    const { plan } = this;
    const values = checkInputs(
      inputs,
      plan.inputs.map((name) => ({ name, shape: plan.tensors[name]!.shape })),
    );
    const turn = this.#enter(1);
    // Uploaded at once where that is possible; a run that has to wait keeps what the caller may overwrite meanwhile.
    const own = turn ? values.map((array) => array.slice()) : values;
    return this.#during(turn, 1, () => {
      signal?.throwIfAborted();
      this.upload(own);
      return this.#infer(signal).then(({ outputs }) => outputs);
    });
  }

  /**
   * One inference of a picture, by its rule, which makes the only input on the GPU; one submit as well. A picture that the
   * rule only scales goes straight into a first convolution of few channels. Outputs as of `run`. Throws `UsageError`
   * where the model has several inputs or the rule does not fit its input.
   */
  async runPicture(
    picture: Picture,
    rule: ImageRule,
    { signal }: RunOptions = {},
  ): Promise<Record<string, Float32Array>> {
    return (await this.#runPicture(picture, rule, signal, null)).outputs;
  }

  /**
   * The same with the class scores of one output ranked on the GPU: of them, only the best are read back. Many classes
   * and scores of several places are not ranked there. Throws as `runPicture` does.
   */
  rankPicture(
    picture: Picture,
    rule: ImageRule,
    ranking: Ranking,
    { signal }: RunOptions = {},
  ): Promise<RankedOutputs> {
    return this.#runPicture(picture, rule, signal, ranking);
  }

  async #runPicture(
    picture: Picture,
    rule: ImageRule,
    signal: AbortSignal | undefined,
    ranking: Ranking | null,
  ): Promise<RankedOutputs> {
    const [name, ...others] = this.plan.inputs;
    if (!name || others.length > 0)
      throw new UsageError(`${this.plan.graph} has ${this.plan.inputs.length} inputs, not one`);
    checkPicture(picture);
    // What is made for pictures like this one is in use by runs in flight, and serves as long as none before this one
    // changes it. To make or change it, a run has the device to itself.
    const ready = this.#changing === 0 && this.#picture?.fits(picture, rule) && (!ranking || this.#ranks(ranking));
    const weight = ready ? 1 : IN_FLIGHT;
    const turn = this.#enter(weight);
    const { width, height, data } = picture;
    const own = ready && !turn ? picture : { width, height, data: data.slice() };
    if (!ready) this.#changing++;
    try {
      return await this.#during(turn, weight, async () => {
        signal?.throwIfAborted();
        if (!ready) await this.#prepare(name, own, rule, ranking);
        const ranker = ranking && this.#ranked!.ranker;
        const count = ranker ? ranker.stage.countFor(ranking!.count) : 0;
        return this.#infer(signal, {
          first: this.#picture!.upload(own, rule),
          ranker: count > 0 ? ranker : null,
          count,
        });
      });
    } finally {
      if (!ready) this.#changing--;
    }
  }

  /** Makes what a run of such a picture needs. */
  async #prepare(input: string, picture: Picture, rule: ImageRule, ranking: Ranking | null): Promise<void> {
    const made = await Promise.allSettled([
      this.#preparePicture(input, picture, rule),
      ranking && !this.#ranks(ranking) ? this.#makeRanker(ranking) : null,
    ]);
    for (const one of made) if (one.status === 'rejected') throw one.reason;
  }

  async #preparePicture(input: string, picture: Picture, rule: ImageRule): Promise<void> {
    const { PictureStage } = await import('./picture-stage.ts');
    if (this.#disposed) throw disposed();
    this.#picture ??= new PictureStage(this.gpu, this.plan, input, (range) => resourceOf(range, this.#buffers()));
    await this.#picture.prepare(picture, rule);
  }

  #ranks({ output, logits }: Ranking): boolean {
    return this.#ranked?.output === output && this.#ranked.logits === logits;
  }

  async #makeRanker({ output, logits }: Ranking): Promise<void> {
    const { plan, gpu } = this;
    const { RankStage } = await import('./rank-stage.ts');
    const scores = plan.tensors[plan.outputs.find(({ name }) => name === output)!.tensor]!;
    let ranker: Ranker | null = null;
    if (RankStage.suits(scores)) {
      const stage = await RankStage.create(gpu, this.#arena[scores.buffer]!, scores, logits);
      const others = plan.outputs.filter(({ name }) => name !== output);
      const making = guarded(gpu.device, `readback of ${plan.graph}`, () => {
        return new Readout(gpu.device, plan, others, IN_FLIGHT, stage.bytes());
      });
      making.catch(() => stage.dispose());
      ranker = { stage, readout: await making };
    }
    this.#freeRanker();
    this.#ranked = { output, logits, ranker };
    if (!this.#disposed) return;
    this.#freeRanker();
    throw disposed();
  }

  #freeRanker(): void {
    this.#ranked?.ranker?.stage.dispose();
    this.#ranked?.ranker?.readout.dispose();
    this.#ranked = null;
  }

  /** Encodes, submits and reads back. */
  async #infer(
    signal: AbortSignal | undefined,
    { first, ranker = null, count = 0 }: Beside = {},
  ): Promise<RankedOutputs> {
    const { device } = this.gpu;
    const readout = ranker?.readout ?? this.#readout;
    const readback = readout.acquire();
    try {
      const encoder = device.createCommandEncoder({ label: this.plan.graph });
      const pass = encoder.beginComputePass();
      this.encode(pass, first?.(pass));
      ranker?.stage.encode(pass, count);
      pass.end();
      readout.copy(encoder, this.#arena, readback);
      const bytes = ranker?.stage.copy(encoder, count, readback, readout.bytes) ?? 0;
      device.queue.submit([encoder.finish()]);
      const mapping = settle(this.gpu, readback.mapAsync(1 /* GPUMapMode.READ */, 0, readout.bytes + bytes));
      // A browser may tell of two buffers in any order.
      const inOrder = [this.#latest, mapping];
      this.#latest = Promise.allSettled(inOrder).then(() => {});
      await Promise.all(inOrder);
      try {
        this.gpu.check();
        signal?.throwIfAborted();
        const outputs = readout.read(readback);
        return { outputs, ranked: ranker?.stage.read(readback.getMappedRange(readout.bytes, bytes)) ?? null };
      } finally {
        readback.unmap();
      }
    } finally {
      readout.release(readback);
    }
  }

  /** Uploads the inputs without running. */
  upload(values: readonly Float32Array[]): void {
    this.plan.inputs.forEach((name, i) => {
      const placement = this.plan.tensors[name]!;
      const staging = this.#staging[i];
      if (staging) pack(values[i]!, placement, staging);
      const data = storedBits(staging ?? values[i]!, placement.precision) as Float32Array<ArrayBuffer>;
      this.gpu.device.queue.writeBuffer(this.#arena[placement.buffer]!, placement.offset, data);
    });
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

  /** Waits for runs before it, then has the device to itself. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#during(this.#enter(IN_FLIGHT), IN_FLIGHT, work);
  }

  /** Null where work of this weight may begin at once, else what to wait for; first come, first served. */
  #enter(weight: number): Promise<void> | null {
    if (this.#waiting.length === 0 && this.#active + weight <= IN_FLIGHT) {
      this.#active += weight;
      return null;
    }
    return new Promise((start) => this.#waiting.push({ weight, start }));
  }

  #leave(weight: number): void {
    this.#active -= weight;
    for (let next = this.#waiting[0]; next && this.#active + next.weight <= IN_FLIGHT; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#active += next.weight;
      next.start();
    }
  }

  async #during<T>(turn: Promise<void> | null, weight: number, work: () => Promise<T>): Promise<T> {
    if (turn) await turn;
    try {
      if (this.#disposed) throw disposed();
      this.gpu.check();
      return await work();
    } catch (error) {
      // A destroyed buffer or device ends a wait with an error of the browser's, before the loss is known.
      if (this.#disposed) throw disposed();
      throw await this.gpu.explain(error);
    } finally {
      this.#leave(weight);
    }
  }

  /**
   * Reads a tensor as it lies in the arena, `[batch][height][width][⌈channels/4⌉·4]` as dense NHWC. It is the tensor's
   * own value only in a plan without aliasing or right after it was written; a run of a picture that went straight into
   * the first convolution does not write the input. `raw` keeps the padding lanes.
   */
  async readTensor(name: string, { raw = false } = {}): Promise<Float32Array> {
    const placement = this.plan.tensors[name];
    if (!placement) throw new UsageError(`${this.plan.graph} has no tensor "${name}"`);
    const { device } = this.gpu;
    const buffer = device.createBuffer({
      label: `readback of ${name}`,
      size: placement.bytes,
      usage: MAP_READ | COPY_DST,
    });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.#arena[placement.buffer]!, placement.offset, buffer, 0, placement.bytes);
    device.queue.submit([encoder.finish()]);
    await settle(this.gpu, buffer.mapAsync(1));
    this.gpu.check();
    const { shape } = placement;
    const wide = { ...placement, shape: [shape[0], shape[1], shape[2], 4 * Math.ceil(shape[3] / 4)] as const };
    const values = unpack(buffer.getMappedRange(), raw ? wide : placement);
    buffer.destroy();
    return values;
  }

  /** Fills the arena with NaN, so that an element that no kernel writes shows. */
  poison(): void {
    this.#arena.forEach((buffer, i) => {
      // 0xffff is NaN in binary16, 0xffffffff in binary32.
      const bytes = this.plan.arena[i]!;
      this.gpu.device.queue.writeBuffer(buffer, 0, new Uint32Array(bytes / 4).fill(0xffffffff));
    });
  }

  /** Overwrites a packed constant. For tests that must see a damaged weight found. */
  writeConstant(slot: ConstantSlot, data: Float32Array | Uint16Array): void {
    writeConstant(this.gpu.device, this.plan, { constants: this.#constants, textures: this.#textures }, slot, data);
  }

  /** Frees every GPU object of this executor; the device stays. */
  dispose(): void {
    this.#disposed = true;
    this.#picture?.dispose();
    this.#freeRanker();
    destroyBuffers(this.#buffers());
  }

  #buffers(): Buffers {
    return {
      arena: this.#arena,
      constants: this.#constants,
      textures: this.#textures,
      uniforms: this.#uniforms,
      readout: this.#readout,
    };
  }
}

const disposed = () => new UsageError('the model was disposed of');

interface Buffers {
  readonly arena: readonly GPUBuffer[];
  readonly constants: GPUBuffer;
  readonly textures: readonly GPUTexture[];
  readonly uniforms: GPUBuffer;
  readonly readout: Readout;
}

interface Resources extends Buffers {
  readonly bindGroups: readonly GPUBindGroup[];
}

function createBuffers(device: GPUDevice, plan: Plan): Buffers {
  const create = (label: string, bytes: number, usage: number) =>
    device.createBuffer({ label, size: Math.max(16, Math.ceil(bytes / 16) * 16), usage });
  const uniforms = create('uniforms', 4 * plan.uniforms.length, UNIFORM | COPY_DST);
  device.queue.writeBuffer(uniforms, 0, new Uint32Array(plan.uniforms));
  return {
    arena: plan.arena.map((bytes, i) => create(`arena ${i}`, bytes, STORAGE | COPY_SRC | COPY_DST)),
    constants: create('constants', plan.constantBytes, STORAGE | UNIFORM | COPY_DST),
    textures: plan.textures.map((spec, i) => createTexture(device, `weights ${i}`, spec)),
    uniforms,
    readout: new Readout(device, plan, plan.outputs, IN_FLIGHT),
  };
}

function createBindGroups(
  device: GPUDevice,
  plan: Plan,
  pipelines: readonly GPUComputePipeline[],
  buffers: Buffers,
): GPUBindGroup[] {
  return plan.dispatches.map(({ node, pipeline, bindings }) =>
    device.createBindGroup({
      label: node,
      layout: pipelines[pipeline]!.getBindGroupLayout(0),
      entries: bindings.map((range, binding) => ({ binding, resource: resourceOf(range, buffers) })),
    }),
  );
}

function resourceOf(range: BoundRange, buffers: Buffers): GPUBindingResource {
  if (range.kind === 'texture') return buffers.textures[range.texture]!.createView();
  const single = range.kind === 'uniform' ? buffers.uniforms : buffers.constants;
  const buffer = range.kind === 'arena' ? buffers.arena[range.buffer]! : single;
  return { buffer, offset: range.offset, size: range.bytes };
}

function destroyBuffers({ arena, constants, textures, uniforms, readout }: Buffers): void {
  for (const resource of [...arena, constants, ...textures, uniforms]) resource.destroy();
  readout.dispose();
}

const createTexture = (device: GPUDevice, label: string, { width, height, format }: TextureSpec): GPUTexture =>
  device.createTexture({
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

function writeConstant(
  device: GPUDevice,
  plan: Plan,
  { constants, textures }: Pick<Buffers, 'constants' | 'textures'>,
  slot: ConstantSlot,
  values: Float32Array | Uint16Array,
): void {
  const data = values as Float32Array<ArrayBuffer>;
  if (slot.texture === undefined) {
    device.queue.writeBuffer(constants, slot.offset, data);
    return;
  }
  const texture = textures[slot.texture]!;
  const { width, height } = plan.textures[slot.texture]!;
  device.queue.writeTexture({ texture }, data, { bytesPerRow: data.byteLength / height }, [width, height]);
}
