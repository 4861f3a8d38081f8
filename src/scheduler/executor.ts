import { bufferUsage, createBuffer, guarded, inScope } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { settle } from '../device/settle.ts';
import { DeviceError, type MobileNetError, UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import { checkPicture } from '../images/picture.ts';
import type { OpenPicture } from '../images/picture-source.ts';
import type { Plan } from '../planner/plan.ts';
import type { PictureStage } from './picture-stage.ts';
import { type Constants, PlanResources, type ResourceOptions } from './plan-resources.ts';
import type { Ranked, RankStage } from './rank-stage.ts';
import { Readout } from './readout.ts';
import { type Need, RunOrder } from './run-order.ts';
import { checkInputs, pack, storedBits, unpack } from './tensors.ts';

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Nobody writes into the inputs until the run has ended: it needs no copy of them while it waits. */
  readonly stable?: boolean | undefined;
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

/** What follows a plan's dispatches, and what is read back then. */
interface After {
  readonly stage: Pick<RankStage, 'encode' | 'copy' | 'read'>;
  readonly readout: Readout;
}

/** What a run does beside the plan's dispatches. */
export interface Beside {
  /**
   * Uploads what the run is of. What it returns encodes what comes before the dispatches, or in the place of as many of
   * the first as that returns.
   */
  readonly upload: () => ((pass: GPUComputePassEncoder) => number) | undefined;
  /** Ranks classes after them; their scores are not read back. */
  readonly ranker?: After | null;
  readonly count?: number;
}

/**
 * Runs a plan on a device. A run uploads the inputs, encodes every dispatch into one compute pass, submits once and reads
 * the outputs back. It creates no GPU object but the command buffer. The queue keeps runs in order; a few are in flight at
 * once, each with a readback buffer of its own. A device that was lost makes them throw `DeviceLostError`.
 */
export class Executor {
  readonly plan: Plan;
  readonly gpu: Gpu;
  readonly resources: PlanResources;
  /** All outputs. */
  readonly #readout: Readout;
  /** Each input as it is stored; null where that is as it comes. */
  readonly #staging: readonly (Float32Array | null)[];
  readonly #order = new RunOrder();
  #picture: PictureStage | null = null;
  /** Of others, disposed of with it. */
  readonly stages = new Set<{ dispose(): void }>();
  /** For an output; null where its scores cannot be ranked. */
  #ranked: (Pick<Ranking, 'output' | 'logits'> & { readonly ranker: Ranker | null }) | null = null;
  /** Runs of pictures under way that make or change what such runs share. */
  #changing = 0;
  /** When the latest run and all before it were ready to be read. */
  #latest: Promise<void> = Promise.resolve();
  /** Why it runs no more. */
  #ended: MobileNetError | null = null;

  private constructor(resources: PlanResources, readout: Readout) {
    const { gpu, plan } = resources;
    this.gpu = gpu;
    this.plan = plan;
    this.resources = resources;
    this.#readout = readout;
    this.#staging = plan.inputs.map((name) => {
      const { shape, dense = false } = plan.tensors[name]!;
      if (dense || shape[3] % 4 === 0) return null;
      return new Float32Array(shape[0] * shape[1] * shape[2] * 4 * Math.ceil(shape[3] / 4));
    });
  }

  /**
   * Compiles, allocates and uploads, as `PlanResources.create` does; throws as that does.
   */
  static async create(gpu: Gpu, plan: Plan, constants: Constants, options: ResourceOptions = {}): Promise<Executor> {
    const [resources, readout] = await Promise.allSettled([
      PlanResources.create(gpu, plan, constants, options),
      guarded(gpu.device, `readback of ${plan.graph}`, (keep) => new Readout(gpu.device, plan, plan.outputs, keep)),
    ]);
    if (resources.status === 'fulfilled' && readout.status === 'fulfilled') {
      return new Executor(resources.value, readout.value);
    }
    for (const made of [resources, readout]) if (made.status === 'fulfilled') made.value.dispose();
    throw (resources.status === 'rejected' ? resources : (readout as PromiseRejectedResult)).reason;
  }

  /**
   * One inference: inputs are dense NHWC float32 by input name (or one array for the only input), outputs likewise.
   * Throws `UsageError` where an input does not fit.
   */
  run(
    inputs: Float32Array | Readonly<Record<string, Float32Array>>,
    { signal, stable }: RunOptions = {},
  ): Promise<Record<string, Float32Array>> {
    const { plan } = this;
    const values = checkInputs(
      inputs,
      plan.inputs.map((name) => ({ name, shape: plan.tensors[name]!.shape })),
    );
    const turn = this.#order.enter('run', signal);
    // Uploaded at once where that is possible; a run that has to wait keeps what the caller may overwrite meanwhile.
    const own = turn && !stable ? values.map((array) => array.slice()) : values;
    return this.#during(turn, 'run', signal, () => {
      signal?.throwIfAborted();
      return this.infer(signal, { upload: () => void this.upload(own) }).then(({ outputs }) => outputs);
    });
  }

  /**
   * One inference of a picture, by its rule, which makes the only input on the GPU; one submit as well. A picture that the
   * rule only scales goes straight into a first convolution of few channels. Outputs as of `run`; where `ranking` names
   * one of class scores, only the best of them are ranked and read back. Many classes and scores of several places are
   * not ranked here. Throws `UsageError` where the model has several inputs or the rule does not fit its input.
   */
  async runPicture(
    picture: OpenPicture,
    rule: ImageRule,
    ranking: Ranking | null = null,
    { signal, stable }: RunOptions = {},
  ): Promise<RankedOutputs> {
    const [name, ...others] = this.plan.inputs;
    if (!name || others.length > 0)
      throw new UsageError(`${this.plan.graph} has ${this.plan.inputs.length} inputs, not one`);
    if ('data' in picture) checkPicture(picture);
    // What is made for pictures like this one is in use by runs in flight, and serves as long as none before this one
    // changes it. To make or change it, a run has the device to itself.
    const ready = this.#changing === 0 && this.#picture?.fits(picture, rule) && (!ranking || this.#ranks(ranking));
    const need = ready ? 'run' : 'setup';
    const turn = this.#order.enter(need, signal);
    const own =
      stable || (ready && !turn) || !('data' in picture)
        ? picture
        : { width: picture.width, height: picture.height, data: picture.data.slice() };
    if (!ready) this.#changing++;
    try {
      return await this.#during(turn, need, signal, async () => {
        signal?.throwIfAborted();
        if (!ready) await this.#prepare(name, own, rule, ranking);
        const ranker = ranking && this.#ranked!.ranker;
        const count = ranker ? ranker.stage.countFor(ranking!.count) : 0;
        return this.infer(signal, {
          upload: () => this.#picture!.upload(own, rule),
          ranker: count > 0 ? ranker : null,
          count,
        });
      });
    } finally {
      if (!ready) this.#changing--;
    }
  }

  /** Makes what a run of such a picture needs. */
  async #prepare(input: string, picture: OpenPicture, rule: ImageRule, ranking: Ranking | null): Promise<void> {
    const made = await Promise.allSettled([
      this.#preparePicture(input, picture, rule),
      ranking && !this.#ranks(ranking) ? this.#makeRanker(ranking) : null,
    ]);
    for (const one of made) if (one.status === 'rejected') throw one.reason;
  }

  async #preparePicture(input: string, picture: OpenPicture, rule: ImageRule): Promise<void> {
    const { PictureStage } = await import('./picture-stage.ts');
    this.check();
    this.#picture ??= new PictureStage(this.resources, input);
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
    const stage = await RankStage.create(gpu, this.resources.arena[scores.buffer]!, scores, logits);
    if (stage) {
      const others = plan.outputs.filter(({ name }) => name !== output);
      const making = guarded(gpu.device, `readback of ${plan.graph}`, (keep) => {
        return new Readout(gpu.device, plan, others, keep, stage.bytes());
      });
      making.catch(() => stage.dispose());
      ranker = { stage, readout: await making };
    }
    this.#freeRanker();
    this.#ranked = { output, logits, ranker };
    if (!this.#ended) return;
    this.#freeRanker();
    throw this.#ended;
  }

  #freeRanker(): void {
    this.#ranked?.ranker?.stage.dispose();
    this.#ranked?.ranker?.readout.dispose();
    this.#ranked = null;
  }

  /** Encodes, submits and reads back, in a turn of its own (`exclusive`). */
  async infer(signal: AbortSignal | undefined, { upload, ranker = null, count = 0 }: Beside): Promise<RankedOutputs> {
    const { device } = this.gpu;
    const readout = ranker?.readout ?? this.#readout;
    const readback = readout.acquire();
    try {
      let bytes = 0;
      const refusal = inScope(device, () => {
        const first = upload();
        const encoder = device.createCommandEncoder({ label: this.plan.graph });
        const pass = encoder.beginComputePass();
        this.resources.encode(pass, first?.(pass));
        ranker?.stage.encode(pass, count);
        pass.end();
        readout.copy(encoder, this.resources.arena, readback);
        bytes = ranker?.stage.copy(encoder, count, readback, readout.bytes) ?? 0;
        device.queue.submit([encoder.finish()]);
      });
      const mapping = settle(this.gpu, readback.mapAsync(1 /* GPUMapMode.READ */, 0, readout.bytes + bytes));
      // A browser may tell of two runs in any order. What they gave is let go, as each waits for the one before it.
      const ready = Promise.allSettled([this.#latest, mapping, refusal]).then(() => {});
      this.#latest = ready;
      await ready;
      await mapping;
      try {
        const invalid = await refusal;
        this.gpu.check();
        if (invalid) {
          throw new DeviceError(
            `${this.plan.graph}: the GPU refused this run, so that its outputs are not known (${invalid.message}); load the model again`,
          );
        }
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

  /** Uploads the inputs without running, but for those that are null. */
  upload(values: readonly (Float32Array | null)[]): void {
    this.plan.inputs.forEach((name, i) => {
      const given = values[i];
      if (!given) return;
      const placement = this.plan.tensors[name]!;
      const staging = this.#staging[i];
      if (staging) pack(given, placement, staging);
      const data = storedBits(staging ?? given, placement.precision) as Float32Array<ArrayBuffer>;
      this.gpu.device.queue.writeBuffer(this.resources.arena[placement.buffer]!, placement.offset, data);
    });
  }

  /**
   * Waits for runs before it and for those of every other executor of this page, then has the page's GPU to itself: what
   * is timed on it is not shared with others. Runs of any executor inside `work` would wait for it for ever: it encodes and
   * submits by itself. Rejects with the signal's reason where that comes before its turn. With another `need` it shares the GPU as
   * runs of that need do.
   */
  exclusive<T>(
    work: () => Promise<T>,
    { signal, need = 'timed' }: Pick<RunOptions, 'signal'> & { readonly need?: Need } = {},
  ): Promise<T> {
    return this.#during(this.#order.enter(need, signal), need, signal, work);
  }

  /** Once the runs before this call have ended; later ones wait for it. */
  idle(): Promise<void> {
    return this.exclusive(async () => {}, { need: 'setup' });
  }

  /** Throws why it runs no more. */
  check(): void {
    if (this.#ended) throw this.#ended;
    this.gpu.check();
  }

  async #during<T>(
    turn: Promise<void> | null,
    need: Need,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (turn) await turn;
    try {
      try {
        this.check();
        return await work();
      } finally {
        this.#order.leave(need);
      }
    } catch (error) {
      // A destroyed buffer or device ends a wait with an error of the browser's, before the loss is known.
      if (this.#ended) throw this.#ended;
      throw signal?.aborted && error === signal.reason ? error : await this.gpu.explain(error);
    }
  }

  /**
   * Reads a tensor as it lies in the arena, `[batch][height][width][⌈channels/4⌉·4]` as dense NHWC. It is the tensor's
   * own value only in a plan without aliasing or right after it was written; a run of a picture that went straight into
   * the first convolution does not write the input. Throws `UsageError` for an unknown name,
   * `OutOfMemoryError`, `DeviceLostError`.
   */
  async readTensor(name: string): Promise<Float32Array> {
    const placement = this.plan.tensors[name];
    if (!placement) throw new UsageError(`${this.plan.graph} has no tensor "${name}"`);
    const { device } = this.gpu;
    const { MAP_READ, COPY_DST } = bufferUsage;
    const buffer = await guarded(device, `readback of ${name}`, (keep) =>
      keep(createBuffer(device, name, placement.bytes, MAP_READ | COPY_DST)),
    );
    try {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(this.resources.arena[placement.buffer]!, placement.offset, buffer, 0, placement.bytes);
      device.queue.submit([encoder.finish()]);
      await settle(this.gpu, buffer.mapAsync(1, 0, placement.bytes));
      this.gpu.check();
      return unpack(buffer.getMappedRange(0, placement.bytes), placement);
    } catch (error) {
      throw await this.gpu.explain(error);
    } finally {
      buffer.destroy();
    }
  }

  /** Frees every GPU object of this executor; the device stays. Runs under way and later ones throw `reason`. */
  dispose(reason: MobileNetError = disposed()): void {
    this.#ended ??= reason;
    this.#picture?.dispose();
    for (const stage of this.stages) stage.dispose();
    this.#freeRanker();
    this.#readout.dispose();
    this.resources.dispose();
  }
}

export const disposed = (): MobileNetError => new UsageError('the model was disposed of');
