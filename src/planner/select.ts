import { GraphError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { hasByteWeights } from '../graph/layers.ts';
import type { Node, OpName, Shape } from '../graph/ops.ts';
import { inferShapes } from '../graph/shapes.ts';
import { coreKernels, fetchKernels, type KernelRegistry, modulesOf } from '../kernels/index.ts';
import type { Kernel, NodeShapes } from '../kernels/kernel.ts';
import type { Plan } from './plan.ts';

/** Which kernels run on a device, and which of them are wanted. Plain data. */
export interface KernelPreferences {
  /** Features that the device has. */
  readonly features: readonly string[];
  /** Names of kernels in order: the first that can run a node and suits it does. */
  readonly prefer: readonly string[];
  /**
   * Invocations below which much of the device idles: a kernel of `prefer` with fewer makes way for a later one that has so
   * many, or else for the one that has most.
   */
  readonly fill?: number;
  /** Names of kernels that compute wrongly on this device. */
  readonly avoid?: readonly string[];
  /** What kernels compute in where they can: those whose names begin with `half/` then come before those named otherwise. */
  readonly arithmetic?: 'float16' | undefined;
  /** Blocks of the network that run fused, by the names that `blocksOf` has for them (`withBlocks`). */
  readonly fused?: readonly string[];
  /** Names of kernels by `layerKey`, found by measurement; before `prefer`. */
  readonly tuned?: Readonly<Record<string, string>>;
}

/** Without a device to ask: the registry's first kernel that accepts a node. */
export const noPreferences: KernelPreferences = { features: [], prefer: [] };

/** Everything about a node that decides how fast a kernel runs it: two nodes with equal keys are one to the tuner. */
export function layerKey(node: Node, { inputs, output }: NodeShapes): string {
  const details = Object.entries(node).filter(([, value]) => !(value instanceof Float32Array) && value !== null);
  const plain = details.filter(([name]) => !['name', 'inputs', 'output', 'parts'].includes(name));
  return JSON.stringify(
    [Object.fromEntries(plain), inputs, output],
    node.op === 'integer' ? withoutNumbers : undefined,
  );
}

/** What operations on integers compute with, constants and scales: no two layers have the same. */
const withoutNumbers = (key: string, value: unknown): unknown =>
  key === 'weightZeroPoint'
    ? value !== 0
    : /^(to|bias|weights|tables?|range|shift|filler|scale|factors|.*[zZ]eroPoints?)$/.test(key)
      ? undefined
      : value;

/**
 * The kernels with which `createPlan` plans a graph for these preferences; those that the core lacks are fetched.
 * `tuning`: with every variant that the tuner tries on such an adapter.
 */
export function kernelsFor(
  graph: Graph,
  { prefer, tuned = {}, avoid = [], arithmetic }: KernelPreferences = noPreferences,
  tuning: 'software' | 'hardware' | null = null,
): Promise<KernelRegistry> {
  const shapes = inferShapes(graph);
  const fuses = graph.nodes.some(({ op }) => op === 'fused');
  const named = modulesOf([...prefer, ...Object.values(tuned)]);
  // What a graph has no nodes for is not fetched.
  const modules = named.filter((module) => module !== 'integer' && (fuses || module !== 'blocks'));
  if (graph.nodes.some(hasByteWeights)) modules.push('bytes');
  if (tuning) modules.push('variants');
  if (tuning === 'hardware') modules.push('split');
  if (avoid.length > 0) modules.push('rare');
  if (arithmetic) modules.push('halves');
  for (const node of graph.nodes) {
    if (node.op === 'fused') modules.push('blocks');
    else if (node.op === 'integer') modules.push('integer');
    else if (!coreKernels.usual.some((kernel) => usable(kernel, node, shapesOf(node, shapes), [])))
      modules.push('rare');
  }
  return fetchKernels(modules);
}

/** The kernels of a plan, by their names. */
export const kernelsOf = ({ dispatches }: Plan): Promise<KernelRegistry> =>
  fetchKernels(modulesOf(dispatches.map(({ kernel }) => kernel)));

/** Shapes of a node's inputs and output among those of its graph. */
export const shapesOf = (node: Node, shapes: ReadonlyMap<string, Shape>): NodeShapes => ({
  inputs: node.inputs.map((name) => shapes.get(name)!),
  output: shapes.get(node.output)!,
});

/** What names of kernels begin with that run a node in another form; else nothing. */
const formOf = (node: Node, computesInHalves: boolean): string =>
  computesInHalves ? 'half/' : hasByteWeights(node) ? 'byte/' : '';

const formed = (forms: readonly Kernel[], begin: string): readonly Kernel[] =>
  forms.filter(({ name }) => begin && name.startsWith(begin));

const usable = (kernel: Kernel, node: Node, shapes: NodeShapes, features: readonly string[]): boolean =>
  kernel.op === node.op &&
  (kernel.requires ?? []).every((feature) => features.includes(feature)) &&
  kernel.accepts(node, shapes);

/**
 * Kernels worth measuring for a node on a device: the registry's own choice first, then its variants; of a node in another
 * form those of that form, where there are any.
 */
export function candidates(
  { usual, variants, forms }: KernelRegistry,
  node: Node,
  shapes: NodeShapes,
  features: readonly string[],
  computesInHalves = false,
): Kernel[] {
  const runs = (kernel: Kernel) => usable(kernel, node, shapes, features);
  const others = formed(forms, formOf(node, computesInHalves)).filter(runs);
  if (others.length > 0) return others;
  const first = usual.find(runs);
  return first ? [first, ...variants.filter(runs)] : [];
}

/**
 * The kernel that runs a node: what was tuned for it, else the first preferred that suits it, else the first of the
 * registry that accepts it. Throws `GraphError` where there is none.
 */
export function selectKernel(
  { usual, variants, starting, forms }: KernelRegistry,
  node: Node,
  shapes: NodeShapes,
  preferences = noPreferences,
  computesInHalves = false,
): Kernel {
  const { features, prefer, fill = 0, tuned, avoid = [] } = preferences;
  const sound = ({ name }: Kernel) => !avoid.includes(name);
  const all = [usual, variants, starting, forms].flat().filter(sound);
  const named = (name: string) => all.find((kernel) => kernel.name === name && usable(kernel, node, shapes, features));
  const measured = tuned?.[layerKey(node, shapes)];
  const pick = (names: readonly string[], others: readonly Kernel[]) => {
    const suited = names.flatMap((name) => named(name) ?? []).filter((kernel) => kernel.suits?.(node, shapes) ?? true);
    return (
      fullest(suited, (kernel) => kernel.invocations?.(node, shapes) ?? fill, fill) ??
      others.find((kernel) => usable(kernel, node, shapes, features))
    );
  };
  const begin = formOf(node, computesInHalves);
  const found =
    (measured === undefined ? undefined : named(measured)) ??
    pick(
      prefer.map((name) => begin + name),
      formed(forms, begin).filter(sound),
    ) ??
    pick(prefer, usual.filter(sound));
  if (!found) {
    const inputs = shapes.inputs.map((shape) => `[${shape}]`).join(', ');
    throw new GraphError(`node "${node.name}" (${node.op}): no kernel runs it on ${inputs} → [${shapes.output}]`);
  }
  return found;
}

/** The first with so many invocations; where none has, the one with most. */
function fullest(kernels: readonly Kernel[], invocationsOf: (kernel: Kernel) => number, fill: number) {
  const counts = kernels.map(invocationsOf);
  const enough = counts.findIndex((count) => count >= fill);
  return kernels[enough < 0 ? counts.indexOf(Math.max(...counts)) : enough];
}

/** The kernel of this name for an operation. Throws `GraphError` where the registry has none. */
export function kernelNamed({ usual, variants, starting, forms }: KernelRegistry, name: string, op: OpName): Kernel {
  const kernel = [usual, variants, starting, forms]
    .flat()
    .find((candidate) => candidate.name === name && candidate.op === op);
  if (!kernel) throw new GraphError(`there is no kernel "${name}" for ${op}; the plan is of another version`);
  return kernel;
}
