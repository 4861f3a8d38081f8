/** Fused blocks against their parts: which of a network's blocks run as one kernel. */
import { DeviceError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { type Node, writtenBy } from '../graph/ops.ts';
import { inferShapes } from '../graph/shapes.ts';
import type { KernelRegistry } from '../kernels/index.ts';
import { createPlan, packConstants } from '../planner/create-plan.ts';
import { blocksOf, fuse } from '../planner/fuse.ts';
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
  readonly names: string[];
  readonly parts: Graph;
  readonly fused: Graph;
  readonly work: number;
}

interface BlockTuning extends Tuning {
  /** Names of the blocks of a kind, by its key. */
  readonly names: ReadonlyMap<string, readonly string[]>;
}

/**
 * Times each distinct block of a graph, the costliest first, until `end`: fused, and as the parts that run otherwise, with the
 * kernels of `preferences`. Fused is what is clearly faster. It goes on where `known` ends. Throws the signal's reason,
 * `DeviceLostError`.
 */
async function tuneBlocks(bench: TrialBench, graph: Graph, options: TunerOptions, end: number): Promise<BlockTuning> {
  const { known, signal } = options;
  const registry = await kernelsFor(fuse(graph), options.preferences);
  const blocks = distinctBlocks(graph);
  const layers = new Map<string, LayerRecord>();
  const measured: TunedLayer[] = [];
  let remembered = 0;
  let complete = true;
  for (const block of blocks) {
    signal?.throwIfAborted();
    const { key, names } = block;
    const { kernel = null, tried = [], refused = [] } = known.get(key) ?? {};
    if (tried.includes(FUSED) || refused.includes(FUSED)) {
      remembered++;
      layers.set(key, { kernel: refused.includes(FUSED) ? PARTS : kernel, tried, refused });
      continue;
    }
    if (performance.now() >= end) {
      complete = false;
      continue;
    }
    const result = await race({
      usual: PARTS,
      others: [FUSED],
      open: (which) => open(bench, registry, which === FUSED ? block.fused : block.parts, options),
      stepMs: () => bench.clock.stepMs,
      more: () => performance.now() < end,
      signal,
    });
    complete &&= result.complete;
    measured.push({ key, node: names[0]!, count: names.length, chosen: result.chosen, tried: result.tried });
    layers.set(key, { kernel: result.chosen, tried: result.tried.map((one) => one.kernel), refused });
  }
  return { layers, measured, remembered, complete, names: new Map(blocks.map(({ key, names }) => [key, names])) };
}

/**
 * Fuses the blocks of a network that are faster so, and leaves those fused that are by the preferences and there was no time for, as far as the whole network keeps its outputs and is not slower with them.
 * `layers`: what is known of them then.
 */
export async function fuseAndAdopt(
  bench: TrialBench,
  host: Pick<Host, 'whole'>,
  options: TunerOptions,
  end: number,
  adopt: Adopt,
) {
  const { layers, measured, remembered, complete, names } = await tuneBlocks(bench, await host.whole(), options, end);
  const { preferences } = options;
  const shipped = new Set(preferences.fused);
  const chosen = [...names.keys()]
    .filter((key) => {
      const known = layers.get(key);
      return known ? known.kernel === FUSED : names.get(key)!.some((name) => shipped.has(name));
    })
    .map((key) => [key, FUSED] as const);
  if (chosen.length === 0 && shipped.size > 0) await adopt({ ...preferences, fused: [] });
  const refused = await keepAdoptable(chosen, (kept) =>
    adopt({ ...preferences, fused: kept.flatMap(([key]) => names.get(key)!) }),
  );
  const known = new Map(layers);
  for (const { key } of refused) known.set(key, { tried: [], ...known.get(key), kernel: PARTS, refused: [FUSED] });
  return { layers: known, outcome: { layers: measured, remembered, refused, complete } };
}

/** Blocks that fusing makes one kernel, or few, of, with all that it replaces and puts in its place. */
function distinctBlocks(graph: Graph): Block[] {
  const shapes = inferShapes(graph);
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
    blocks.set(key, { key, names: [name], parts: of(parts), fused: of(fused), work });
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
