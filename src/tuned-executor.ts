import type { Gpu } from './device/gpu.ts';
import { DeviceError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import { createPlan, packConstants } from './planner/create-plan.ts';
import type { Plan, Precision } from './planner/plan.ts';
import type { KernelPreferences } from './planner/select.ts';
import { seededInputs } from './random-inputs.ts';
import { Executor, type ExecutorOptions } from './scheduler/executor.ts';
import type { Arriving } from './streaming.ts';
import type { TuningCache } from './tuning/cache.ts';
import { startingPreferences, steadyPreferences } from './tuning/defaults.ts';
import type { TunedLayer, TuningProgress } from './tuning/tuner.ts';

/** What `Model.tune` found and did. */
export interface TuningReport {
  /** Distinct layers that were measured, the costliest first, with every kernel tried. */
  readonly layers: readonly TunedLayer[];
  /** Distinct layers whose kernel was remembered from another time. */
  readonly remembered: number;
  /** Whether the budget sufficed for every layer. */
  readonly complete: boolean;
  readonly elapsedMs: number;
  /** Kernels of the plan that runs from now on, in order. */
  readonly kernels: readonly string[];
}

export interface TuneOptions {
  /** Milliseconds for measuring kernels, default 1000; 0 only takes up the adapter's shipped kernels. */
  readonly budgetMs?: number | undefined;
  /** Where to remember the outcome: the option `tuningCache` of `load` unless given; null: nowhere. */
  readonly cache?: TuningCache | null | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TuningProgress) => void) | undefined;
}

/** The plan that runs a model on a GPU, from its first result's to that of the kernels measured fastest. */
export class TunedExecutor {
  readonly gpu: Gpu;
  readonly #graph: Graph;
  readonly #precision: Precision;
  #executor: Executor;
  #preferences: KernelPreferences;
  /** The latest tuning; null before the first. */
  #tuning: Promise<TuningReport> | null = null;

  private constructor(gpu: Gpu, graph: Graph, precision: Precision, first: Executor, preferences: KernelPreferences) {
    this.gpu = gpu;
    this.#graph = graph;
    this.#precision = precision;
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
    options: ExecutorOptions,
    arriving?: Arriving | null,
  ): Promise<TunedExecutor> {
    const preferences = startingPreferences(gpu.adapter);
    const plan = createPlan(graph, { precision, preferences });
    const constants = arriving?.constants(graph, plan) ?? packConstants(graph, plan);
    const executor = await Executor.create(gpu, plan, constants, options);
    return new TunedExecutor(gpu, graph, precision, executor, preferences);
  }

  /** What runs now. */
  get current(): Executor {
    return this.#executor;
  }

  get plan(): Plan {
    return this.#executor.plan;
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
    const next = () => this.#tune({ ...options, signal });
    this.#tuning = (this.#tuning ?? Promise.resolve()).then(next, next);
    // Reported to whoever asked.
    this.#tuning.catch(() => {});
    return this.#tuning;
  }

  async #tune({
    budgetMs = 1000,
    cache,
    signal,
    onProgress,
  }: TuneOptions & { readonly signal: AbortSignal }): Promise<TuningReport> {
    const start = performance.now();
    signal.throwIfAborted();
    const steady = steadyPreferences(this.gpu.adapter);
    await this.#adopt(steady, signal);
    let layers: readonly TunedLayer[] = [];
    let remembered = 0;
    let complete = false;
    if (budgetMs > 0) {
      const { tune } = await import('./tuning/index.ts');
      const found = await tune(this.gpu, this.#graph, {
        precision: this.#precision,
        budgetMs,
        cache,
        signal,
        onProgress,
        exclusive: (work) => this.#executor.exclusive(work),
      });
      ({ layers, remembered, complete } = found);
      await this.#adopt({ ...steady, tuned: found.tuned }, signal);
    }
    const kernels = this.plan.dispatches.map(({ kernel }) => kernel);
    return { layers, remembered, complete, elapsedMs: performance.now() - start, kernels };
  }

  /** Runs on the kernels of these preferences from now on, where they give the same outputs as those so far. */
  async #adopt(preferences: KernelPreferences, signal: AbortSignal): Promise<void> {
    const plan = createPlan(this.#graph, { precision: this.#precision, preferences });
    const before = this.#executor;
    if (plan.dispatches.every(({ kernel }, i) => kernel === before.plan.dispatches[i]!.kernel)) return;
    const next = await Executor.create(this.gpu, plan, packConstants(this.#graph, plan), { signal });
    const { judgeOutputs } = await import('./validate/compare.ts');
    try {
      const inputs = seededInputs(this.#graph);
      const [expected, found] = [await before.run(inputs, { signal }), await next.run(inputs, { signal })];
      const wrong = judgeOutputs(this.#graph, this.#precision, found, expected).find(({ ok }) => !ok);
      if (wrong)
        throw new DeviceError(`kernels tuned for this adapter change output "${wrong.name}"; they are not used`);
      signal.throwIfAborted();
    } catch (error) {
      next.dispose();
      throw error;
    }
    this.#executor = next;
    this.#preferences = preferences;
    // Runs that wait on it come first.
    const retire = () => before.dispose();
    before.idle().then(retire, retire);
  }

  dispose(): void {
    this.#executor.dispose();
    this.gpu.dispose();
  }
}
