import type { Gpu } from '../device/gpu.ts';
import type { ArrivingWeights } from '../graph/arriving.ts';
import type { Graph } from '../graph/graph.ts';
import { arrivingConstants } from '../planner/arriving-constants.ts';
import { createPlan, packConstants } from '../planner/create-plan.ts';
import type { Precision } from '../planner/plan.ts';
import { type KernelPreferences, kernelsFor } from '../planner/select.ts';
import { ArenaPool } from '../scheduler/arena-pool.ts';
import { Executor } from '../scheduler/executor.ts';
import type { ResourceOptions } from '../scheduler/plan-resources.ts';
import { preferencesOf, startingPreferences } from './defaults.ts';
import type { TuneOptions, TuningReport } from './index.ts';

/** The plan that runs a model on a GPU, from its first result's to that of the kernels measured fastest. */
export class TunedExecutor {
  readonly gpu: Gpu;
  readonly graph: Graph;
  readonly precision: Precision;
  /** Plans that follow each other share their arena. */
  readonly arena: ArenaPool;
  #executor: Executor;
  #preferences: KernelPreferences;
  /** Work under way that goes on with the plan that ran when it began. */
  readonly #working = new Set<Promise<unknown>>();
  /** The latest tuning; null before the first. */
  #tuning: Promise<TuningReport> | null = null;

  private constructor(
    graph: Graph,
    precision: Precision,
    first: Executor,
    preferences: KernelPreferences,
    arena: ArenaPool,
  ) {
    this.gpu = first.gpu;
    this.graph = graph;
    this.precision = precision;
    this.arena = arena;
    this.#executor = first;
    this.#preferences = preferences;
  }

  /**
   * Starts with the kernels of the first result. `graph` is prepared, and has all its weights in the end. Throws as
   * `Executor.create` and `arriving` do, `GraphError`.
   */
  static async create(
    gpu: Gpu,
    graph: Graph,
    precision: Precision,
    options: ResourceOptions,
    arriving?: ArrivingWeights | null,
  ): Promise<TunedExecutor> {
    const preferences = await preferencesOf(gpu, graph, await startingPreferences(gpu.adapter));
    const kernels = await kernelsFor(graph, preferences);
    const plan = createPlan(graph, kernels, { precision, preferences, limits: gpu.device.limits });
    const constants = arriving ? arrivingConstants(graph, plan, arriving) : packConstants(graph, plan, kernels);
    const arena = new ArenaPool(gpu.device);
    const executor = await Executor.create(gpu, plan, constants, { ...options, arena });
    return new TunedExecutor(graph, precision, executor, preferences, arena);
  }

  /** What runs now. */
  get current(): Executor {
    return this.#executor;
  }

  /** The kernels that the plan prefers. */
  get preferences(): KernelPreferences {
    return this.#preferences;
  }

  /** The tuning that runs or ran last; null before the first. */
  get tuned(): Promise<TuningReport> | null {
    return this.#tuning;
  }

  /** As `Model.tune`; aborted by `disposal` too. */
  tune(options: TuneOptions, disposal: AbortSignal): Promise<TuningReport> {
    const signal = options.signal ? AbortSignal.any([options.signal, disposal]) : disposal;
    const next = async () => {
      signal.throwIfAborted();
      const { tune } = await import('./index.ts');
      return tune(this, { ...options, signal });
    };
    this.#tuning = (this.#tuning ?? Promise.resolve()).then(next, next);
    // Reported to whoever asked.
    this.#tuning.catch(() => {});
    return this.#tuning;
  }

  /** Work of several turns on the plan that runs now, which is freed only after it, should it be exchanged meanwhile. */
  hold<T>(work: (executor: Executor) => Promise<T>): Promise<T> {
    const working = work(this.#executor).finally(() => this.#working.delete(working));
    this.#working.add(working);
    return working;
  }

  /** Runs on `next`, which it takes over, from now on; what ran before is freed once its runs and work on it have ended. */
  exchange(next: Executor, preferences: KernelPreferences): void {
    const before = this.#executor;
    this.#executor = next;
    this.#preferences = preferences;
    if (next === before) return;
    Promise.allSettled([before.idle(), ...this.#working]).then(() => before.dispose());
  }

  dispose(): void {
    this.#executor.dispose();
    this.gpu.dispose();
  }
}
