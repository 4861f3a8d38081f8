import { GraphError } from '../errors.ts';
import type { Node, OpName } from '../graph/ops.ts';
import { blockKernels, kernels, startingKernels, variants } from '../kernels/index.ts';
import type { Kernel, NodeShapes } from '../kernels/kernel.ts';

/** Which kernels run on a device, and which of them are wanted. Plain data. */
export interface KernelPreferences {
  /** Features that the device has. */
  readonly features: readonly string[];
  /** Names of kernels in order: the first that can run a node and suits it does. */
  readonly prefer: readonly string[];
  /** Names of kernels by `layerKey`, found by measurement; before `prefer`. */
  readonly tuned?: Readonly<Record<string, string>>;
}

/** Without a device to ask: the registry's first kernel that accepts a node. */
export const noPreferences: KernelPreferences = { features: [], prefer: [] };

/** Everything about a node that decides how fast a kernel runs it: two nodes with equal keys are one to the tuner. */
export function layerKey(node: Node, { inputs, output }: NodeShapes): string {
  const details = Object.entries(node).filter(([, value]) => !(value instanceof Float32Array) && value !== null);
  const plain = details.filter(([name]) => !['name', 'inputs', 'output', 'parts'].includes(name));
  return JSON.stringify([Object.fromEntries(plain), inputs, output]);
}

const registry = (): Kernel[] => [...kernels, ...variants, ...startingKernels, ...blockKernels];

const usable = (kernel: Kernel, node: Node, shapes: NodeShapes, features: readonly string[]): boolean =>
  kernel.op === node.op &&
  (kernel.requires ?? []).every((feature) => features.includes(feature)) &&
  kernel.accepts(node, shapes);

/** Kernels worth measuring for a node on a device: the registry's own choice first, then its variants. */
export function candidates(node: Node, shapes: NodeShapes, features: readonly string[]): Kernel[] {
  const runs = (kernel: Kernel) => usable(kernel, node, shapes, features);
  const first = kernels.find(runs);
  return first ? [first, ...variants.filter(runs)] : [];
}

/**
 * The kernel that runs a node: what was tuned for it, else the first preferred that suits it, else the first of the
 * registry that accepts it. Throws `GraphError` where there is none.
 */
export function selectKernel(node: Node, shapes: NodeShapes, preferences = noPreferences): Kernel {
  const { features, prefer, tuned } = preferences;
  const named = (name: string) =>
    registry().find((kernel) => kernel.name === name && usable(kernel, node, shapes, features));
  const measured = tuned?.[layerKey(node, shapes)];
  const preferred = prefer.map(named).find((kernel) => kernel && (kernel.suits?.(node, shapes) ?? true));
  const found =
    (measured === undefined ? undefined : named(measured)) ??
    preferred ??
    [...kernels, ...blockKernels].find((kernel) => usable(kernel, node, shapes, features));
  if (!found) {
    const inputs = shapes.inputs.map((shape) => `[${shape}]`).join(', ');
    throw new GraphError(`node "${node.name}" (${node.op}): no kernel runs it on ${inputs} → [${shapes.output}]`);
  }
  return found;
}

/** The kernel of this name for an operation. Throws `GraphError` where the registry has none. */
export function kernelNamed(name: string, op: OpName): Kernel {
  const kernel = registry().find((candidate) => candidate.name === name && candidate.op === op);
  if (!kernel) throw new GraphError(`there is no kernel "${name}" for ${op}; the plan is of another version`);
  return kernel;
}
