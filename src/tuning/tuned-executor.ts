import type { Gpu } from '../device/gpu.ts';
import { unlessAborted } from '../device/unless-aborted.ts';
import { DeviceLostError, FetchError } from '../errors.ts';
import type { ArrivingWeights } from '../graph/arriving.ts';
import type { Graph, ImageRule } from '../graph/graph.ts';
import { arrivingConstants } from '../planner/arriving-constants.ts';
import { createPlan, packConstants } from '../planner/create-plan.ts';
import type { Plan, Precision } from '../planner/plan.ts';
import { withBlocks } from '../planner/prepare.ts';
import { type KernelPreferences, kernelsFor, kernelsOf } from '../planner/select.ts';
import { ArenaPool } from '../scheduler/arena-pool.ts';
import { Copies } from '../scheduler/copies.ts';
import { disposed, Executor, type RankedOutputs, type Ranking, type RunOptions } from '../scheduler/executor.ts';
import type { ResourceOptions } from '../scheduler/plan-resources.ts';
import { preferencesOf, startingPreferences } from './defaults.ts';
import type { TuneOptions, TuningReport } from './index.ts';

/** Devices that a call may lose before it gives up. */
const MOST_LOSSES = 3;
/** Fetched when a device is lost. */
const recovery = () => import('./recovery.ts');
/** Pictures of more bytes are not kept while they run, and not run again after a loss. */
const KEPT_BYTES = 2 ** 24;

/** What runs a model on a device: all of it is gone when the device is lost. */
interface Running {
  readonly gpu: Gpu;
  /** Plans that follow each other share their arena. */
  readonly arena: ArenaPool;
  readonly executor: Executor;
  readonly precision: Precision;
  readonly preferences: KernelPreferences;
  readonly prepared: Graph;
}

/** What of its preferences does not depend on the device, and whether blocks are raced against their parts. */
interface StartOptions extends Pick<KernelPreferences, 'arithmetic'> {
  readonly fuses?: boolean | undefined;
}

/** Whether what a plan computes is compared with the CPU before its first result. */
export type SelfCheck = 'off' | 'once' | 'always';

/** As `Executor.runPicture` takes it. */
type Picture = Parameters<Executor['runPicture']>[0];

interface Planned extends Pick<Running, 'preferences' | 'precision'> {
  readonly plan: Plan;
}

/**
 * The plan that runs a model on a GPU, from its first result's to that of the kernels measured fastest; on another device
 * after one was lost, unless the caller brought it. Results of runs come in the order of the calls.
 */
export class TunedExecutor {
  graph: Graph;
  /** `graph` with its weights, and what is kept of a graph: others where the CPU keeps none (src/absent-weights.ts). */
  whole = async (): Promise<Graph> => this.graph;
  keep = (graph: Graph): Graph => graph;
  /** What the self-check found, a sentence each. */
  get found(): readonly string[] {
    return this.#found;
  }
  readonly #found: string[];
  /** Whether pictures come out right, by rule and ranking. */
  readonly #pictures = new Map<string, Promise<boolean>>();
  readonly #selfCheck: SelfCheck;
  /** Whether tuning may fuse blocks of it. */
  readonly fuses: boolean;
  #running: Running;
  #recovering: Promise<void> | null = null;
  #disposed = false;
  /** When the latest run and all before it have ended. */
  #latest: Promise<unknown> = Promise.resolve();
  readonly #copies = new Copies();
  /** Work under way that goes on with the plan that ran when it began. */
  readonly #working = new Set<Promise<unknown>>();
  /** The latest tuning; null before the first. */
  #tuning: Promise<TuningReport> | null = null;

  private constructor(graph: Graph, fuses: boolean, { running, words }: CheckedRunning, selfCheck: SelfCheck) {
    this.graph = graph;
    this.fuses = fuses;
    this.#running = running;
    this.#found = [...words];
    this.#selfCheck = selfCheck;
    this.#watch(running.gpu);
  }

  /**
   * Starts with the kernels of the first result. `graph` is prepared, and has all its weights in the end. Takes `gpu` over:
   * where that is lost meanwhile, another is opened. Throws as `Executor.create` and `arriving` do, `GraphError`.
   */
  static async create(
    gpu: Gpu,
    graph: Graph,
    precision: Precision,
    { arithmetic, fuses = false, ...options }: ResourceOptions & StartOptions,
    arriving?: ArrivingWeights | null,
    selfCheck: SelfCheck = 'off',
  ): Promise<TunedExecutor> {
    const make = async (on: Gpu) =>
      beginChecked(on, graph, await planFor(on, graph, precision, arithmetic), selfCheck, options, arriving);
    return new TunedExecutor(
      graph,
      fuses,
      await make(gpu).catch(async (error) => (await recovery()).replace(gpu, error, make, options.signal)),
      selfCheck,
    );
  }

  /** What the plan runs: `graph`, with the blocks fused that the preferences name. */
  get prepared(): Graph {
    return this.#running.prepared;
  }

  get gpu(): Gpu {
    return this.#running.gpu;
  }

  get precision(): Precision {
    return this.#running.precision;
  }

  get arena(): ArenaPool {
    return this.#running.arena;
  }

  /** What runs now. */
  get current(): Executor {
    return this.#running.executor;
  }

  /** The kernels that the plan prefers. */
  get preferences(): KernelPreferences {
    return this.#running.preferences;
  }

  /** The tuning that runs or ran last; null before the first. */
  get tuned(): Promise<TuningReport> | null {
    return this.#tuning;
  }

  /** As `Executor.run`. */
  run(inputs: Float32Array | Readonly<Record<string, Float32Array>>, { signal }: RunOptions = {}) {
    if (!this.gpu.reopen) return this.inOrder((executor) => executor.run(inputs, { signal }));
    const single = inputs instanceof Float32Array;
    const kept = (single ? [['', inputs] as const] : Object.entries(inputs)).map(([name, values]) => {
      return [name, values instanceof Float32Array ? this.#copies.take(values) : values] as const;
    });
    const own = single ? kept[0]![1] : Object.fromEntries(kept);
    const running = this.inOrder((executor) => executor.run(own, { signal, stable: true }), signal);
    const letGo = () => {
      for (const [, values] of kept) this.#copies.release(values);
    };
    running.then(letGo, letGo);
    return running;
  }

  /** As `Executor.runPicture`. A large picture is not run again on another device: its run throws `DeviceLostError`. */
  runPicture(
    picture: Picture,
    rule: ImageRule,
    ranking: Ranking | null,
    { signal }: RunOptions,
  ): Promise<RankedOutputs> {
    const { width, height } = picture;
    const bytes = 'data' in picture ? picture.data : null;
    const kept = this.gpu.reopen && bytes && bytes.byteLength <= KEPT_BYTES ? this.#copies.take(bytes) : null;
    const own = kept ? { width, height, data: kept } : picture;
    const options = { signal, stable: kept !== null };
    // A bitmap is the engine's own.
    const again = kept !== null || ('way' in picture && picture.way === 'copy');
    const running = this.inOrder((executor) => executor.runPicture(own, rule, ranking, options), signal, again);
    const letGo = () => this.#copies.release(kept);
    running.then(letGo, letGo);
    return running;
  }

  /** Work whose result comes in the order of the calls; `again`: on another device where one is lost. */
  inOrder<T>(work: (executor: Executor) => Promise<T>, signal?: AbortSignal, again = true): Promise<T> {
    const before = this.#latest;
    const own = this.#surviving(work, signal, again);
    const inTurn = async () => {
      const result = await own;
      await before;
      return result;
    };
    const delivered = inTurn();
    // The next one waits for what is handed out, not for what it is made of.
    // What they came to is not kept.
    this.#latest = Promise.allSettled([before, delivered]).then(() => {});
    return delivered;
  }

  /** Does work on another device where one is lost; once it has begun, unless it can be done `again`, on that one only. */
  async #surviving<T>(work: (executor: Executor) => Promise<T>, signal?: AbortSignal, again = true): Promise<T> {
    for (let losses = 0; ; losses++) {
      const { gpu, executor } = this.#running;
      const begins = !gpu.isLost;
      try {
        return await work(executor);
      } catch (error) {
        const mayGoOn = losses < MOST_LOSSES && gpu.reopen && !this.#disposed && (again || !begins);
        if (!(error instanceof DeviceLostError) || !mayGoOn) throw error;
        await unlessAborted(this.#recover(error), signal);
      }
    }
  }

  /** Once there is a device that is not known to be lost. */
  #recover(loss: DeviceLostError): Promise<void> {
    if (!this.gpu.isLost) return Promise.resolve();
    this.#recovering ??= this.#rebuild(this.#running, loss).finally(() => {
      this.#recovering = null;
    });
    return this.#recovering;
  }

  /** The same plan on an adapter of the same kind: the same input gives the same bits as before. */
  async #rebuild({ gpu, executor: { plan }, preferences, precision }: Running, loss: DeviceLostError): Promise<void> {
    const { kindOf, replace, wholeAfter } = await recovery();
    const graph = await wholeAfter(loss, this);
    const running = await replace(gpu, loss, async (next) => {
      const same = kindOf(next) === kindOf(gpu);
      if (same) return begin(next, graph, { plan, preferences, precision }, {});
      this.#pictures.clear();
      const planned = await planFor(next, graph, precision, preferences.arithmetic);
      return (await beginChecked(next, graph, planned, this.#selfCheck)).running;
    });
    if (this.#disposed) {
      running.executor.dispose();
      running.gpu.dispose();
      throw disposed();
    }
    this.#running = { ...running, prepared: this.keep(running.prepared) };
    this.#watch(running.gpu);
  }

  /** Lets a lost device's memory go at once. */
  #watch(gpu: Gpu): void {
    gpu.lost.then(() => {
      if (this.#disposed || this.gpu !== gpu) return;
      try {
        gpu.check();
      } catch (loss) {
        this.current.dispose(loss as DeviceLostError);
        gpu.dispose();
      }
    });
  }

  /**
   * Whether pictures by this rule come out right, and their ranking (`logits`, or not; null: none). Before the first result of
   * such pictures, whatever region of them is looked at; the network behind them is checked when it is loaded.
   */
  picturesAreRight({ region: _, ...rule }: ImageRule, logits: boolean | null): Promise<boolean> {
    if (this.#selfCheck === 'off') return Promise.resolve(true);
    const key = JSON.stringify([rule, logits]);
    const checking =
      this.#pictures.get(key) ??
      this.hold(async (executor) => {
        const wrong = await (await import('./self-check.ts')).checkPictures(
          executor,
          this.#running.prepared,
          rule,
          logits,
        );
        if (wrong) this.#found.push(wrong);
        return wrong === null;
      });
    this.#pictures.set(key, checking);
    checking.catch(() => this.#pictures.delete(key));
    return checking;
  }

  /** Why a plan is not to be run; null where it may. */
  async check(plan: Plan, graph: Graph): Promise<string | null> {
    if (this.#selfCheck === 'off') return null;
    return (await import('./self-check.ts')).whyNot(this.gpu, graph, plan, { mode: this.#selfCheck });
  }

  /** As `Model.tune`; aborted by `disposal` too. */
  tune(options: TuneOptions, disposal: AbortSignal): Promise<TuningReport> {
    const signal = options.signal ? AbortSignal.any([options.signal, disposal]) : disposal;
    const next = async () => {
      signal.throwIfAborted();
      const { tune } = await import('./index.ts');
      return this.#surviving(() => tune(this, { ...options, signal }), signal);
    };
    this.#tuning = (this.#tuning ?? Promise.resolve()).then(next, next);
    // Reported to whoever asked.
    this.#tuning.catch(() => {});
    return this.#tuning;
  }

  /** Work of several turns on the plan that runs now, which is freed only after it, should it be exchanged meanwhile. */
  hold<T>(work: (executor: Executor) => Promise<T>): Promise<T> {
    const working = this.#surviving(work).finally(() => this.#working.delete(working));
    this.#working.add(working);
    return working;
  }

  /**
   * Runs on `next`, which it takes over, from now on; what ran before is freed once its runs and work on it have ended.
   * Throws `DeviceLostError`, and leaves `next` to the caller, where its device is lost.
   */
  exchange(next: Executor, preferences: KernelPreferences, prepared = this.prepared): void {
    next.gpu.check();
    const before = this.#running.executor;
    this.#running = { ...this.#running, executor: next, preferences, prepared: this.keep(prepared) };
    if (next === before) return;
    Promise.allSettled([before.idle(), ...this.#working]).then(() => before.dispose());
  }

  /** Frees it once the runs and the work on it have ended. */
  async retire(): Promise<void> {
    await Promise.allSettled([this.#latest, this.#tuning, ...this.#working]);
    this.dispose();
  }

  dispose(): void {
    this.#disposed = true;
    this.current.dispose();
    this.gpu.dispose();
  }
}

interface CheckedRunning {
  readonly running: Running;
  readonly words: readonly string[];
}

/**
 * Begins with a plan, or with what runs right in its place: it is compared with the CPU while its constants are uploaded.
 * Throws as `begin` and `ensureRight` do, and `FetchError` where the check itself cannot be fetched.
 */
async function beginChecked(
  gpu: Gpu,
  graph: Graph,
  planned: Planned,
  mode: SelfCheck,
  options: ResourceOptions = {},
  arriving?: ArrivingWeights | null,
): Promise<CheckedRunning> {
  if (mode === 'off') return { running: await begin(gpu, graph, planned, options, arriving), words: [] };
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const stoppable = { ...options, signal };
  const beginning = begin(gpu, graph, planned, stoppable, arriving);
  // Reported by `ensureRight`.
  beginning.catch(() => {});
  const { ensureRight } = await import('./self-check.ts').catch(async (cause) => {
    const why = `its code could not be fetched (${cause.message}); load again, or with selfCheck: 'off'`;
    stop.abort(new FetchError('self-check', null, why, { cause }));
    await beginning.then(({ executor }) => executor.dispose()).catch(() => {});
    throw stop.signal.reason;
  });
  return ensureRight(beginning, stop, gpu, graph, planned.plan, { mode, signal }, async (avoid, precision) => {
    const arithmetic = precision === planned.precision ? planned.preferences.arithmetic : undefined;
    return begin(gpu, graph, await planFor(gpu, graph, precision, arithmetic, avoid), stoppable);
  });
}

async function planFor(
  gpu: Gpu,
  graph: Graph,
  wanted: Precision,
  arithmetic: KernelPreferences['arithmetic'],
  avoid: readonly string[] = [],
): Promise<Planned> {
  const { features } = gpu;
  const precision = wanted === 'float16' && !features.includes('shader-f16') ? 'float16-packed' : wanted;
  const base = await startingPreferences({ ...gpu.adapter, features }, arithmetic);
  const starting = await preferencesOf(gpu, graph, base, true);
  const preferences = avoid.length > 0 ? { ...starting, avoid } : starting;
  const kernels = await kernelsFor(graph, preferences);
  const plan = createPlan(graph, kernels, { precision, preferences, limits: gpu.device.limits });
  return { plan, preferences, precision };
}

async function begin(
  gpu: Gpu,
  graph: Graph,
  { plan, ...rest }: Planned,
  options: ResourceOptions,
  arriving?: ArrivingWeights | null,
): Promise<Running> {
  const prepared = await withBlocks(graph, rest.preferences);
  const constants = arriving
    ? arrivingConstants(prepared, plan, arriving)
    : packConstants(prepared, plan, await kernelsOf(plan));
  const arena = new ArenaPool(gpu.device);
  try {
    const executor = await Executor.create(gpu, plan, constants, { ...options, arena });
    return { gpu, arena, executor, prepared, ...rest };
  } catch (error) {
    throw await gpu.explain(error);
  }
}
