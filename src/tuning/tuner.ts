import type { AdapterDescription } from '../device/gpu.ts';
import { DeviceError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { realNode } from '../graph/real-node.ts';
import { inferShapes, sizeOf } from '../graph/shapes.ts';
import type { KernelRegistry } from '../kernels/index.ts';
import type { Kernel, NodeShapes } from '../kernels/kernel.ts';
import { packConstants } from '../planner/create-plan.ts';
import type { Plan, Precision } from '../planner/plan.ts';
import { candidates, type KernelPreferences, kernelsFor, layerKey, selectKernel } from '../planner/select.ts';
import { halvesOf, inputsOfOneReader, nodesInHalves } from '../planner/storage.ts';
import { PlanResources } from '../scheduler/plan-resources.ts';
import { inSlices } from '../scheduler/slices.ts';
import type { TrialBench } from '../scheduler/trial-bench.ts';
import type { LayerRecord } from './cache.ts';
import { type Contender, race, type Tried } from './race.ts';
import { CONSTANT_BYTES, isTunable, type LayerStorage, Trial, type Tunable } from './trial.ts';

export interface TuningProgress {
  /** Distinct layers done and in all. */
  readonly done: number;
  readonly total: number;
}

/** Has the GPU of the page to itself while `work` runs. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

export interface TunerOptions {
  readonly precision: Precision;
  /** Kernels to start from: one of them is replaced only by one that is clearly faster. */
  readonly preferences: KernelPreferences;
  /** What is known of layers, by `layerKey`. */
  readonly known: ReadonlyMap<string, LayerRecord>;
  /** Milliseconds after which no further kernel is tried. */
  readonly budgetMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TuningProgress) => void) | undefined;
  /** Around every use of the GPU, each a few milliseconds long. */
  readonly exclusive: Exclusive;
}

export interface TunedLayer {
  readonly key: string;
  /** The first node of this layer's kind, and how many there are. */
  readonly node: string;
  readonly count: number;
  readonly chosen: string;
  /** Kernels tried this time. */
  readonly tried: readonly Tried[];
}

export interface Tuning {
  /** What is known now of this graph's layers, by `layerKey`. */
  readonly layers: ReadonlyMap<string, LayerRecord>;
  /** Layers that were measured, the costliest first. */
  readonly measured: readonly TunedLayer[];
  /** Layers of which all was known. */
  readonly remembered: number;
  /** Whether every kernel of every layer was tried by now. */
  readonly complete: boolean;
}

interface Layer {
  readonly key: string;
  readonly node: Tunable;
  readonly shapes: NodeShapes;
  readonly kernels: readonly Kernel[];
  readonly storage: LayerStorage;
  readonly work: number;
  count: number;
}

/**
 * Times the kernels that can run each distinct layer of a graph, the costliest layers first, until the budget is spent; it
 * goes on where `known` ends. A kernel counts only where its output agrees with that of the registry's own. Throws the
 * signal's reason, `DeviceLostError`.
 */
export async function tuneKernels(bench: TrialBench, graph: Graph, options: TunerOptions): Promise<Tuning> {
  const { preferences, known, budgetMs, signal, onProgress } = options;
  const end = performance.now() + budgetMs;
  const registry = await kernelsFor(graph, preferences, bench.gpu.adapter.software ? 'software' : 'hardware');
  const layers = distinctLayers(graph, registry, bench.gpu.adapter, options);
  const found = new Map<string, LayerRecord>();
  const measured: TunedLayer[] = [];
  let remembered = 0;
  let complete = true;
  for (const [i, layer] of layers.entries()) {
    signal?.throwIfAborted();
    const { key, node, shapes, kernels, count } = layer;
    const { refused = [], tried = [], kernel } = known.get(key) ?? {};
    const useless = [...refused, ...(preferences.avoid ?? [])];
    const sound = kernels.map(({ name }) => name).filter((name) => !useless.includes(name));
    const usual =
      kernel && sound.includes(kernel)
        ? kernel
        : selectKernel(registry, node, shapes, preferences, layer.storage.computesInHalves).name;
    const others = sound.filter((name) => name !== usual && !tried.includes(name));
    if (others.length === 0) {
      remembered++;
      found.set(key, { kernel: usual, tried, refused });
    } else if (performance.now() >= end) {
      complete = false;
      if (known.has(key)) found.set(key, { kernel: usual, tried, refused });
      continue;
    } else {
      const more = () => performance.now() < end;
      const result = await tryKernels(bench, registry, layer, usual, others, options, more);
      complete &&= result.complete;
      measured.push({ key, node: node.name, count, chosen: result.chosen, tried: result.tried });
      const names = result.tried.map((one) => one.kernel);
      found.set(key, { kernel: result.chosen, tried: [...new Set([...tried, ...names])], refused });
    }
    onProgress?.({ done: i + 1, total: layers.length });
  }
  return { layers: found, measured, remembered, complete };
}

/** Layers that differ, of which several kernels can run each. */
function distinctLayers(
  graph: Graph,
  registry: KernelRegistry,
  { features, software }: AdapterDescription,
  { precision, preferences: { arithmetic } }: Pick<TunerOptions, 'precision' | 'preferences'>,
): Layer[] {
  const shapes = inferShapes(graph);
  const dense = inputsOfOneReader(graph);
  const computing = arithmetic && nodesInHalves(graph);
  const halves = halvesOf(graph, registry, precision, arithmetic);
  const layers = new Map<string, Layer>();
  for (const node of graph.nodes) {
    if (!isTunable(node)) continue;
    const nodeShapes = {
      inputs: node.inputs.map((name) => shapes.get(name)!),
      output: shapes.get(node.output)!,
      dense: dense.has(node.inputs[0]!) && !halves.has(node.inputs[0]!),
      half: precision === 'float16' && halves.has(node.inputs[0]!),
    };
    const [usual, ...others] = candidates(registry, node, nodeShapes, features, computing?.has(node));
    const kernels = [...(usual ? [usual] : []), ...others.filter(({ name }) => isFor(software, name))];
    if (kernels.length < 2) continue;
    const key = layerKey(node, nodeShapes);
    const known = layers.get(key);
    if (known) {
      known.count++;
      continue;
    }
    const storage: LayerStorage = {
      precision,
      halfInputs: node.inputs.map((name) => halves.has(name)),
      halfOutput: halves.has(node.output),
      computesInHalves: computing?.has(node) ?? false,
    };
    const work = workOf(node, nodeShapes);
    layers.set(key, { key, node, shapes: nodeShapes, kernels, storage, work, count: 1 });
  }
  return [...layers.values()].sort((a, b) => b.work * b.count - a.work * a.count);
}

/**
 * Whether a variant may be the fastest on this kind of device: on hardware the tiles of software adapters live in memory,
 * and there is nothing to gain on these from neighbours that read neighbours.
 */
const isFor = (software: boolean, name: string): boolean =>
  software ? !/-(line|channels|s\d)$/.test(name) : !name.endsWith('-software');

/** Multiplications, or values read where there are none. */
export function workOf(node: Tunable, { inputs: [input], output }: NodeShapes): number {
  if (node.op === 'integer') return workOf(realNode(node) as Tunable, { inputs: [input!], output });
  if (node.op === 'fully-connected') return node.weights.length * output[0];
  if (node.op !== 'conv2d') return sizeOf(input!);
  return ((node.kernel[0] * node.kernel[1] * input![3]) / node.groups) * sizeOf(output);
}

async function tryKernels(
  bench: TrialBench,
  registry: KernelRegistry,
  { node, shapes, kernels, storage }: Layer,
  usual: string,
  others: readonly string[],
  options: TunerOptions,
  more: () => boolean,
) {
  const trial = new Trial(node, shapes, storage);
  const checked = async (kernel: string, keep: boolean): Promise<PlanResources> => {
    const resources = await makeReady(bench, registry, trial, kernel, options);
    try {
      const { inputs, output } = trial;
      const found = await options.exclusive(() => bench.compare(resources, inputs, output, { keep }));
      if (trial.agrees(found)) return resources;
      throw new DeviceError(`${kernel}: its output leaves the bound`);
    } catch (error) {
      resources.dispose();
      throw error;
    }
  };
  // The registry's own kernel, which the others are compared with.
  let reference: Promise<void> | null = null;
  const open = async (kernel: string): Promise<Contender> => {
    try {
      reference ??= checked(kernels[0]!.name, true).then((resources) => resources.dispose());
      await reference;
      return contenderOf(bench, await checked(kernel, false), options);
    } catch (error) {
      // What fails as the device is gone says nothing of the kernel.
      bench.gpu.check();
      throw error;
    }
  };
  const { signal } = options;
  return race({ usual, others, open, stepMs: () => bench.clock.stepMs, more, signal });
}

/** What every use of the bench asks for. */
export type Turns = Pick<TunerOptions, 'exclusive' | 'signal'>;

/** A trial's plan by a kernel, on the bench. Throws why that cannot be. */
export async function makeReady(
  { gpu, arena }: TrialBench,
  kernels: KernelRegistry,
  trial: Trial,
  kernel: string,
  { signal }: Turns,
): Promise<PlanResources> {
  const plan = trial.plan(kernels, gpu.features, kernel);
  if (constantBytesOf(plan) > CONSTANT_BYTES) {
    throw new DeviceError(`${kernel}: its weights need more memory than a trial may take`);
  }
  return PlanResources.create(gpu, plan, inSlices(packConstants(trial.graph, plan, kernels)), { signal, arena });
}

/** Takes the plan over. */
export const contenderOf = (
  { clock }: TrialBench,
  resources: PlanResources,
  { exclusive, signal }: Turns,
): Contender => ({
  close: () => resources.dispose(),
  measure: async (repeats) => {
    signal?.throwIfAborted();
    const repeated = (pass: GPUComputePassEncoder) => {
      for (let repeat = 0; repeat < repeats; repeat++) resources.encode(pass);
    };
    const [ms] = await exclusive(() => clock.time([repeated]));
    return ms!;
  },
});

/** In the buffer and in textures. */
export const constantBytesOf = ({ constants }: Plan): number => constants.reduce((sum, { bytes }) => sum + bytes, 0);
