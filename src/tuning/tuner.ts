import type { Gpu } from '../device/gpu.ts';
import type { Graph } from '../graph/graph.ts';
import type { Conv2d } from '../graph/ops.ts';
import { inferShapes, sizeOf } from '../graph/shapes.ts';
import type { KernelRegistry } from '../kernels/index.ts';
import type { Kernel, NodeShapes } from '../kernels/kernel.ts';
import type { Precision } from '../planner/plan.ts';
import { candidates, type KernelPreferences, kernelsFor, layerKey, selectKernel } from '../planner/select.ts';
import { inputsOfOneReader } from '../planner/storage.ts';
import { dispatchTime } from '../scheduler/dispatch-time.ts';
import type { Executor } from '../scheduler/executor.ts';
import { median } from '../scheduler/median.ts';
import { agree, Trial } from './trial.ts';

export interface TuningProgress {
  /** Distinct layers done and in all. */
  readonly done: number;
  readonly total: number;
}

export interface TunerOptions {
  readonly precision: Precision;
  /** Kernels to start from: one of them is replaced only by a faster one. */
  readonly preferences: KernelPreferences;
  /** Milliseconds after which no further kernel is tried. */
  readonly budgetMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TuningProgress) => void) | undefined;
  /** Keeps others off the GPU while a kernel is timed. */
  readonly exclusive?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
}

/** A kernel tried on a layer. */
export interface Tried {
  readonly kernel: string;
  /** Milliseconds of a dispatch; null where it was not timed: `reason` says why. */
  readonly ms: number | null;
  readonly reason?: string;
}

export interface TunedLayer {
  readonly key: string;
  /** The first node of this layer's kind, and how many there are. */
  readonly node: string;
  readonly count: number;
  readonly chosen: string;
  readonly tried: readonly Tried[];
}

export interface Tuning {
  /** Kernel names by `layerKey`. */
  readonly tuned: Readonly<Record<string, string>>;
  readonly layers: readonly TunedLayer[];
  /** Whether every kernel of every layer was tried. */
  readonly complete: boolean;
}

/** A kernel replaces the one that would run only where it takes at most this share of its time. */
const CLEARLY_FASTER = 0.95;

/** After one dispatch each, kernels that took more than this many times the fastest are out of the race. */
const HOPELESS = 1.6;

const ROUNDS = 3;

/** Milliseconds that the repeats of one measurement take together, so that a coarse clock resolves them. */
const MEASUREMENT_MS = 2;
const MOST_REPEATS = 64;

interface Layer {
  readonly key: string;
  readonly node: Conv2d;
  readonly shapes: NodeShapes;
  readonly kernels: readonly Kernel[];
  readonly work: number;
  count: number;
}

/**
 * Times the kernels that can run each distinct layer of a graph, the costliest layers first, until the budget is
 * spent. A kernel counts only where its output agrees with that of the registry's own kernel. Throws the signal's
 * reason, `DeviceLostError`.
 */
export async function tuneKernels(gpu: Gpu, graph: Graph, options: TunerOptions): Promise<Tuning> {
  const { preferences, budgetMs, signal, onProgress } = options;
  const registry = await kernelsFor(graph, preferences, true);
  const layers = distinctLayers(graph, registry, preferences.features);
  const end = performance.now() + budgetMs;
  const tuned: Record<string, string> = {};
  const reports: TunedLayer[] = [];
  let complete = true;
  for (const [i, layer] of layers.entries()) {
    if (preferences.tuned && Object.hasOwn(preferences.tuned, layer.key)) continue;
    if (performance.now() >= end) {
      complete = false;
      break;
    }
    const { tried, all } = await tryKernels(gpu, registry, layer, options, end);
    complete &&= all;
    const usual = selectKernel(registry, layer.node, layer.shapes, preferences).name;
    const chosen = choose(tried, usual);
    // What the budget cut short is measured again another time.
    if (all) tuned[layer.key] = chosen;
    reports.push({ key: layer.key, node: layer.node.name, count: layer.count, chosen, tried });
    onProgress?.({ done: i + 1, total: layers.length });
    signal?.throwIfAborted();
  }
  return { tuned, layers: reports, complete };
}

/** The fastest kernel, or the usual one where none is clearly faster than it. */
export function choose(tried: readonly Tried[], usual: string): string {
  const timed = tried.filter((candidate): candidate is Tried & { ms: number } => candidate.ms !== null);
  const fastest = timed.reduce<(Tried & { ms: number }) | null>(
    (best, candidate) => (best === null || candidate.ms < best.ms ? candidate : best),
    null,
  );
  const own = timed.find(({ kernel }) => kernel === usual);
  if (fastest === null) return usual;
  // A usual kernel that gave no time, or a wrong output, gives way to any that did.
  return own === undefined || fastest.ms <= CLEARLY_FASTER * own.ms ? fastest.kernel : usual;
}

function distinctLayers(graph: Graph, registry: KernelRegistry, features: readonly string[]): Layer[] {
  const shapes = inferShapes(graph);
  const dense = inputsOfOneReader(graph);
  const layers = new Map<string, Layer>();
  for (const node of graph.nodes) {
    if (node.op !== 'conv2d') continue;
    const nodeShapes = {
      inputs: node.inputs.map((name) => shapes.get(name)!),
      output: shapes.get(node.output)!,
      dense: dense.has(node.inputs[0]!),
    };
    const kernels = candidates(registry, node, nodeShapes, features);
    if (kernels.length < 2) continue;
    const key = layerKey(node, nodeShapes);
    const known = layers.get(key);
    if (known) {
      known.count++;
      continue;
    }
    const products = (node.kernel[0] * node.kernel[1] * nodeShapes.inputs[0]![3]) / node.groups;
    const work = products * sizeOf(nodeShapes.output);
    layers.set(key, { key, node, shapes: nodeShapes, kernels, work, count: 1 });
  }
  return [...layers.values()].sort((a, b) => b.work * b.count - a.work * a.count);
}

async function tryKernels(
  gpu: Gpu,
  registry: KernelRegistry,
  { node, shapes, kernels }: Layer,
  { precision, preferences, signal, exclusive = (work) => work() }: TunerOptions,
  end: number,
): Promise<{ tried: Tried[]; all: boolean }> {
  const trial = new Trial(node, shapes.inputs, precision);
  const open: { readonly kernel: string; readonly executor: Executor; readonly times: number[] }[] = [];
  const refused: Tried[] = [];
  let expected: Float32Array | null = null;
  let all = true;
  try {
    // The registry's own kernel first, as the others are compared with it; then the one that would run.
    const usual = selectKernel(registry, node, shapes, preferences);
    const [own, ...others] = kernels;
    const order = [
      own!,
      ...others.filter((kernel) => kernel === usual),
      ...others.filter((kernel) => kernel !== usual),
    ];
    for (const { name } of order) {
      signal?.throwIfAborted();
      if (expected !== null && performance.now() >= end) {
        all = false;
        break;
      }
      const executor = await trial.open(gpu, precision, name);
      const output = await exclusive(() => trial.output(executor));
      expected ??= output;
      if (agree(output, expected, trial.tolerance)) open.push({ kernel: name, executor, times: [] });
      else {
        refused.push({ kernel: name, ms: null, reason: 'its output leaves the bound' });
        executor.dispose();
      }
    }
    // The first dispatch wakes the GPU.
    const once: (number | null)[] = [];
    for (const { executor } of open) {
      signal?.throwIfAborted();
      once.push(await exclusive(() => dispatchTime(executor, 1)));
    }
    const fastest = Math.min(...once.filter((ms) => ms !== null));
    const repeats = Number.isFinite(fastest)
      ? Math.min(MOST_REPEATS, Math.ceil(MEASUREMENT_MS / fastest))
      : MOST_REPEATS;
    const race = open.filter((_, i) => once[i] === null || once[i]! <= HOPELESS * fastest || repeats > 1);
    open.forEach((entry, i) => {
      if (!race.includes(entry)) entry.times.push(once[i]!);
    });
    for (let round = 0; round < ROUNDS; round++) {
      for (const { executor, times } of race) {
        signal?.throwIfAborted();
        const ms = await exclusive(() => dispatchTime(executor, repeats));
        if (ms !== null) times.push(ms);
      }
    }
  } finally {
    for (const { executor } of open) executor.dispose();
  }
  const timed = open.map(({ kernel, times }): Tried => {
    if (times.length === 0) return { kernel, ms: null, reason: 'the clock gave no time' };
    return { kernel, ms: median(times) };
  });
  return { tried: [...timed, ...refused], all };
}
