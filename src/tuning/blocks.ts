/** Fused blocks against their parts: which of a network's blocks run as one kernel. */
import { DeviceError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { type Node, writtenBy } from '../graph/ops.ts';
import { inferShapes } from '../graph/shapes.ts';
import type { KernelRegistry } from '../kernels/index.ts';
import { createPlan, packConstants } from '../planner/create-plan.ts';
import { blocksOf, fuse, gatesOf } from '../planner/fuse.ts';
import { kernelsFor, layerKey, shapesOf } from '../planner/select.ts';
import { halvesOf } from '../planner/storage.ts';
import { PlanResources } from '../scheduler/plan-resources.ts';
import { inSlices } from '../scheduler/slices.ts';
import type { TrialBench } from '../scheduler/trial-bench.ts';
import { type Adopt, type Host, keepAdoptable } from './adopt.ts';
import type { LayerRecord } from './cache.ts';
import { type Contender, race } from './race.ts';
import { CONSTANT_BYTES, isTunable, TENSOR_BYTES } from './trial.ts';
import { constantBytesOf, contenderOf, type TunedLayer, type TunerOptions, type Tuning, workOf } from './tuner.ts';

/** What takes part in a race: the kernels that a block is made of, and those that it is fused to. */
const PARTS = 'parts';
const FUSED = 'fused';

/** Blocks that are alike. */
interface Block {
  readonly key: string;
  /** A gate with its projection, not a whole block. */
  readonly isGate: boolean;
  readonly names: string[];
  readonly parts: Graph;
  readonly fused: Graph;
  readonly work: number;
}

/**
 * Times each distinct block, the costliest first, until `end`: fused, and as the parts that run otherwise, with the kernels of
 * `preferences`. What runs stays unless the other is clearly faster. It goes on where `known` ends. Throws the signal's reason,
 * `DeviceLostError`.
 */
async function tuneBlocks(
  bench: TrialBench,
  graph: Graph,
  blocks: readonly Block[],
  options: TunerOptions,
  end: number,
): Promise<Tuning> {
  const { known, signal, preferences } = options;
  const registry = await kernelsFor(fuse(graph), preferences);
  const runs = new Set(preferences.fused);
  const layers = new Map<string, LayerRecord>();
  const measured: TunedLayer[] = [];
  let remembered = 0;
  let complete = true;
  for (const { key, names, ...block } of blocks) {
    signal?.throwIfAborted();
    const { kernel = null, tried = [], refused = [] } = known.get(key) ?? {};
    if (isTried({ tried, refused })) {
      remembered++;
      layers.set(key, { kernel: refused.includes(FUSED) ? PARTS : kernel, tried, refused });
      continue;
    }
    if (performance.now() >= end) {
      complete = false;
      continue;
    }
    // Of a whole block that is raced, the gate may be fused meanwhile.
    const others = new Set([...runs].filter((name) => !names.includes(name)));
    const [usual, other] = names.some((name) => runs.has(name)) ? [FUSED, PARTS] : [PARTS, FUSED];
    const result = await race({
      usual,
      others: [other],
      open: (which) => open(bench, registry, which === FUSED ? block.fused : fuse(block.parts, others), options),
      stepMs: () => bench.clock.stepMs,
      more: () => performance.now() < end,
      signal,
    });
    complete &&= result.complete;
    measured.push({ key, node: names[0]!, count: names.length, chosen: result.chosen, tried: result.tried });
    layers.set(key, { kernel: result.chosen, tried: result.tried.map((one) => one.kernel), refused });
  }
  return { layers, measured, remembered, complete };
}

const isTried = ({ tried, refused }: Pick<LayerRecord, 'tried' | 'refused'>): boolean =>
  refused.includes(FUSED) || (tried.includes(FUSED) && tried.includes(PARTS));

/**
 * Gates that are fused before they are raced, of lavapipe and whatever is like it: there their products with the projections
 * that read them took less in every layer than the two. Kernels whose lanes hand weights round have no gate.
 */
function likelyGates({ gpu }: TrialBench, blocks: readonly Block[], { known, preferences }: TunerOptions): string[] {
  const { software, features } = gpu.adapter;
  if (!software || features.includes('subgroups') || preferences.arithmetic) return [];
  return blocks
    .filter(({ isGate, key }) => isGate && known.get(key)?.kernel !== PARTS && !known.get(key)?.refused.includes(FUSED))
    .flatMap(({ names }) => names);
}

/**
 * Fuses the blocks of a network that are faster so, as far as the whole network keeps its outputs and is not slower with them;
 * what is fused already, or likely to be faster so, stays where there is no time to race it. `layers`: what is known of them then.
 */
export async function fuseAndAdopt(
  bench: TrialBench,
  host: Pick<Host, 'whole'>,
  options: TunerOptions,
  end: number,
  adopt: Adopt,
) {
  const graph = await host.whole();
  const blocks = distinctBlocks(graph);
  let { preferences } = options;
  const likely = preferences.fused ? [] : likelyGates(bench, blocks, options);
  if (likely.length > 0 && (await adopt({ ...preferences, fused: likely })) === null) {
    preferences = { ...preferences, fused: likely };
  }
  const tuning = await tuneBlocks(bench, graph, blocks, { ...options, preferences }, end);
  const layers = new Map(tuning.layers);
  const running = new Set(preferences.fused);
  const runs = ({ names }: Block) => names.some((name) => running.has(name));
  const isSlower = ({ key }: Block) => layers.get(key)?.kernel === PARTS;
  let base = blocks.filter((block) => runs(block) && !isSlower(block));
  const namesOf = (some: readonly Block[]) => some.flatMap(({ names }) => names);
  if (blocks.some((block) => runs(block) && isSlower(block))) {
    const why = await adopt({ ...preferences, fused: namesOf(base) });
    if (why !== null) {
      // Faster in the race, and not in the network: they stay as they are, and are not raced again.
      base = blocks.filter(runs);
      for (const { key } of base.filter(isSlower)) layers.set(key, { ...layers.get(key)!, kernel: FUSED });
    }
  }
  const added = blocks.filter((block) => !runs(block) && layers.get(block.key)?.kernel === FUSED);
  const refused = await keepAdoptable(
    added.map(({ key }) => [key, FUSED] as const),
    (kept) => {
      const keys = new Set(kept.map(([key]) => key));
      return adopt({ ...preferences, fused: namesOf([...base, ...added.filter(({ key }) => keys.has(key))]) });
    },
  );
  for (const { key } of refused) layers.set(key, { ...layers.get(key)!, kernel: PARTS, refused: [FUSED] });
  const { measured, remembered, complete } = tuning;
  return { layers, outcome: { layers: measured, remembered, refused, complete } };
}

/** Blocks that fusing makes one kernel, or few, of, with all that it replaces and puts in its place. */
function distinctBlocks(graph: Graph): Block[] {
  const shapes = inferShapes(graph);
  const gates = new Set(gatesOf(graph));
  const blocks = new Map<string, Block>();
  for (const name of blocksOf(graph)) {
    const { nodes } = fuse(graph, new Set([name]));
    const parts = graph.nodes.filter((node) => !nodes.includes(node));
    const key = `block ${JSON.stringify(parts.map((node) => layerKey(node, shapesOf(node, shapes))))}`;
    const known = blocks.get(key);
    if (known) {
      known.names.push(name);
      continue;
    }
    const fused = nodes.filter((node) => !graph.nodes.includes(node));
    const allShapes = inferShapes({ ...graph, nodes });
    const work = parts.reduce((sum, node) => sum + (isTunable(node) ? workOf(node, shapesOf(node, shapes)) : 0), 0);
    const of = (some: readonly Node[]) => subgraph(`${graph.name}: ${name}`, some, new Map([...shapes, ...allShapes]));
    blocks.set(key, { key, isGate: gates.has(name), names: [name], parts: of(parts), fused: of(fused), work });
  }
  return [...blocks.values()].sort((a, b) => b.work * b.names.length - a.work * a.names.length);
}

/** Nodes of a graph by themselves: what they read of others are inputs, what none of them reads outputs. */
function subgraph(name: string, nodes: readonly Node[], shapes: ReturnType<typeof inferShapes>): Graph {
  const made = new Set(nodes.flatMap(writtenBy));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  return {
    name,
    inputs: [...read]
      .filter((tensor) => !made.has(tensor))
      .map((tensor) => ({ name: tensor, shape: shapes.get(tensor)! })),
    outputs: [...made].filter((tensor) => !read.has(tensor)).map((tensor) => ({ name: tensor, tensor })),
    nodes,
  };
}

/** A block's plan on the bench, its inputs filled. Throws why that cannot be. */
async function open(
  bench: TrialBench,
  kernels: KernelRegistry,
  graph: Graph,
  options: TunerOptions,
): Promise<Contender> {
  const { precision, preferences, signal } = options;
  const { gpu, arena } = bench;
  const halves = halvesOf(graph, kernels, precision, preferences.arithmetic);
  const plan = createPlan(graph, kernels, { precision, preferences, halves, limits: gpu.device.limits });
  if (plan.arena.reduce((sum, bytes) => sum + bytes, 0) > TENSOR_BYTES || constantBytesOf(plan) > CONSTANT_BYTES) {
    throw new DeviceError(`${graph.name} needs more memory than a trial may take`);
  }
  const resources = await PlanResources.create(gpu, plan, inSlices(packConstants(graph, plan, kernels)), {
    signal,
    arena,
  });
  try {
    await options.exclusive(() => bench.fill(resources));
    return contenderOf(bench, resources, options);
  } catch (error) {
    resources.dispose();
    throw error;
  }
}
