import type { Graph } from '../graph/graph.ts';
import { hasByteWeights } from '../graph/layers.ts';
import { coreKernels } from '../kernels/index.ts';
import type { Executor } from '../scheduler/executor.ts';
import { duel, findPace } from '../scheduler/pace.ts';
import { TrialBench } from '../scheduler/trial-bench.ts';
import { type Adopt, adopter, type Host, keepAdoptable, type Refusal } from './adopt.ts';
import { cacheKey, type LayerRecord, type TuningCache, type TuningRecord, usableRecord, withLayers } from './cache.ts';
import { preferencesOf } from './defaults.ts';
import { indexedDbCache } from './indexed-db.ts';
import { shippedPreferences } from './shipped.ts';
import { Trial } from './trial.ts';
import {
  contenderOf,
  type Exclusive,
  makeReady,
  type TunedLayer,
  type TunerOptions,
  type TuningProgress,
  type Turns,
  tuneKernels,
} from './tuner.ts';
import { plainConv } from './warm-up.ts';

// Whoever remembers devices has this chunk already, or will.
export { indexedDbCache };

/** What `Model.tune` found and did. */
export interface TuningReport {
  /** Distinct layers that were measured, the costliest first, with every kernel tried. */
  readonly layers: readonly TunedLayer[];
  /** Distinct layers of this network of which all was remembered from another time. */
  readonly remembered: number;
  /** Kernels that were chosen and not taken up: with them an output of the whole network changed, or they could not be made. */
  readonly refused: readonly Refusal[];
  /** Whether every kernel of every layer is measured by now. */
  readonly complete: boolean;
  readonly elapsedMs: number;
  /** Kernels of the plan that runs from now on, in order. */
  readonly kernels: readonly string[];
}

export interface TuneOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TuningProgress) => void) | undefined;
  /** Milliseconds for measuring kernels, default 1000; 0 only takes up the adapter's shipped kernels. */
  readonly budgetMs?: number | undefined;
  /** Where to remember the outcome: the option `tuningCache` of `load` unless given; null: nowhere. */
  readonly cache?: TuningCache | null | undefined;
}

const FINGERPRINTS = 5;

/**
 * Moves a network to the kernels shipped for its adapter, then to those remembered and those found by measurement within
 * the budget: they are tried, raced, taken up where the whole network's outputs stay, and only then remembered. A cache
 * that fails, or holds something else, is as good as none. Throws the signal's reason, `DeviceLostError`.
 */
export async function tune(host: Host, options: TuneOptions & { readonly signal: AbortSignal }): Promise<TuningReport> {
  const { budgetMs = 1000, signal, onProgress, cache = indexedDbCache() } = options;
  const { gpu, precision } = host;
  const graph = await host.whole();
  const fuses = host.fuses && !graph.nodes.some(hasByteWeights);
  const start = performance.now();
  const exclusive: Exclusive = async (work) => {
    gpu.check();
    try {
      return await host.current.exclusive(work, { signal });
    } finally {
      gpu.check();
    }
  };
  const bench = await TrialBench.create(gpu);
  try {
    const adopt = adopter(host, bench, signal);
    const { arithmetic, fused, avoid } = host.preferences;
    const kept = {
      ...(await shippedPreferences(gpu.adapter, arithmetic)),
      ...(fused && { fused }),
      ...(avoid && { avoid }),
    };
    const shipped = await preferencesOf(gpu, graph, kept);
    // Where they cannot be used, those of the first result stay.
    const base = (await adopt(shipped)) === null ? shipped : host.preferences;
    let found: Outcome = { layers: [], remembered: 0, refused: [], complete: false };
    if (budgetMs > 0) {
      const key = cacheKey(gpu, arithmetic ? `${precision} arithmetic` : precision);
      const fingerprintMs = cache ? await fingerprint(bench, { exclusive, signal }) : null;
      const open = async (): Promise<TuningRecord | null> => {
        if (!cache || fingerprintMs === null) return null;
        return usableRecord(await cache.get(key).catch(() => null), fingerprintMs);
      };
      const known = new Map(Object.entries((await open())?.layers ?? {}));
      const tunerOptions = { precision, preferences: base, known, budgetMs, signal, onProgress, exclusive };
      const end = performance.now() + budgetMs;
      const { layers, outcome } = await tuneAndAdopt(bench, graph, tunerOptions, adopt);
      found = outcome;
      const records = new Map(layers);
      // Fetched where there is time for it, or gates, which need none.
      const blocksAreKnown = [...known.keys()].some((name) => name.startsWith('block '));
      const isGated = graph.nodes.some(({ op }) => op === 'multiply');
      if (fuses && performance.now() >= end && !blocksAreKnown && !isGated) found = { ...found, complete: false };
      else if (fuses) {
        const { fuseAndAdopt } = await import('./blocks.ts');
        const turns = { exclusive, signal };
        const careful = adopter(host, bench, signal, (next) => isFaster(bench, host.current, next, turns));
        const blocks = await fuseAndAdopt(
          bench,
          host,
          { ...tunerOptions, preferences: host.preferences },
          end,
          careful,
        );
        for (const [name, record] of blocks.layers) records.set(name, record);
        found = {
          layers: [...found.layers, ...blocks.outcome.layers],
          remembered: found.remembered + blocks.outcome.remembered,
          refused: [...found.refused, ...blocks.outcome.refused],
          complete: found.complete && blocks.outcome.complete,
        };
      }
      // Another tuning may have written meanwhile.
      if (cache && fingerprintMs !== null) {
        await cache.set(key, withLayers(await open(), fingerprintMs, records)).catch(() => {});
      }
    }
    const kernels = host.current.plan.dispatches.map(({ kernel }) => kernel);
    return { ...found, elapsedMs: performance.now() - start, kernels };
  } catch (error) {
    signal.throwIfAborted();
    throw await gpu.explain(error);
  } finally {
    bench.dispose();
  }
}

export type Outcome = Pick<TuningReport, 'layers' | 'remembered' | 'refused' | 'complete'>;

/** Tries, races and adopts; what is known of the network's layers then. */
async function tuneAndAdopt(bench: TrialBench, graph: Graph, options: TunerOptions, adopt: Adopt) {
  const { preferences } = options;
  const { layers, measured, remembered, complete } = await tuneKernels(bench, graph, options);
  const chosen = [...layers].flatMap(([key, { kernel }]) => (kernel === null ? [] : [[key, kernel] as const]));
  const refused = await keepAdoptable(chosen, (kept) => adopt({ ...preferences, tuned: Object.fromEntries(kept) }));
  const known = new Map<string, LayerRecord>(layers);
  for (const { key, kernel } of refused) {
    const record = known.get(key)!;
    known.set(key, { ...record, kernel: null, refused: [...record.refused, kernel] });
  }
  return { layers: known, outcome: { layers: measured, remembered, refused, complete } };
}

/** Whether one plan clearly takes less time than another that is to take its place. */
async function isFaster(bench: TrialBench, one: Executor, other: Executor, turns: Turns): Promise<boolean> {
  const stepMs = () => bench.clock.stepMs;
  const timed = async ({ resources }: Executor) => {
    const { measure } = contenderOf(bench, resources, turns);
    const pace = await findPace(measure, stepMs);
    return pace && { measure, pace };
  };
  const [champion, challenger] = [await timed(other), await timed(one)];
  // Without a clock nothing was found to be faster by itself either.
  return !champion || !challenger || (await duel(champion, challenger, stepMs)).faster;
}

/** The least of several times: what else the machine does only adds. Null where the clock gives none. */
async function fingerprint(bench: TrialBench, turns: Turns): Promise<number | null> {
  // An ordinary layer in the middle of a MobileNet.
  const trial = new Trial(
    plainConv('x', 'fingerprint', 96),
    { inputs: [[1, 14, 14, 96]], output: [1, 14, 14, 96] },
    { precision: 'float32', halfInputs: [false], halfOutput: false },
  );
  const { measure, close } = contenderOf(
    bench,
    await makeReady(bench, coreKernels, trial, 'conv-pointwise', turns),
    turns,
  );
  try {
    const pace = await findPace(measure, () => bench.clock.stepMs);
    if (pace === null) return null;
    let least = pace.ms;
    for (let i = 1; i < FINGERPRINTS; i++) {
      const elapsed = await measure(pace.repeats);
      if (elapsed !== null) least = Math.min(least, elapsed / pace.repeats);
    }
    return least;
  } finally {
    close();
  }
}
