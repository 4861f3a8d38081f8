import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/ops.ts';
import { add } from './add.ts';
import { convDepthwise, depthwiseVariants } from './conv-depthwise.ts';
import { depthwiseAnyVariants } from './conv-depthwise-any.ts';
import { convAnyVariants, convDirect, directVariants } from './conv-direct.ts';
import { convPointwise, pointwiseVariants } from './conv-pointwise.ts';
import { convStem, stemVariants } from './conv-stem.ts';
import { fullyConnected, fullyConnectedVariants, matrixVectorConv, matrixVectorVariants } from './fully-connected.ts';
import { globalAveragePool, globalAveragePoolVariants } from './global-average-pool.ts';
import type { Kernel } from './kernel.ts';
import { multiply } from './multiply.ts';
import { softmax } from './softmax.ts';

/** Kernels that a plan is made of. */
export interface KernelRegistry {
  /** For a node, the first of its op that accepts it runs it, unless another is preferred: the special before the general. */
  readonly usual: readonly Kernel[];
  /** Other ways to run what some of these run, for devices where they are faster: see `src/tuning/`. */
  readonly variants: readonly Kernel[];
  /** For first results on devices that compile slowly. They are slower than variants, and the tuner does not try them. */
  readonly starting: readonly Kernel[];
  /** Other forms of these, told by what their names begin with: `half/` computes in halves, `byte/` has weights as bytes. */
  readonly forms: readonly Kernel[];
  /** Which tensors are stored as halves where such compute these nodes; with those kernels. */
  readonly halfOperands?: (graph: Graph, computing: ReadonlySet<Node>) => ReadonlySet<string>;
}

/** What most networks need, with the variants that share its shaders. */
export const coreKernels: KernelRegistry = {
  usual: [
    matrixVectorConv,
    convPointwise,
    convDepthwise,
    convStem,
    convDirect,
    fullyConnected,
    globalAveragePool,
    softmax,
    add,
    multiply,
  ],
  variants: [
    ...matrixVectorVariants,
    ...pointwiseVariants,
    ...depthwiseVariants,
    ...stemVariants,
    ...directVariants,
    ...fullyConnectedVariants,
    ...globalAveragePoolVariants,
  ],
  starting: [...convAnyVariants, ...depthwiseAnyVariants],
  forms: [],
};

/** Kernels that are fetched for the plans that need them. */
export type KernelModule = 'rare' | 'blocks' | 'variants' | 'split' | 'integer' | 'halves' | 'bytes';

const modules: Readonly<Record<KernelModule, () => Promise<Partial<KernelRegistry>>>> = {
  rare: () => import('./rare.ts'),
  blocks: () => import('./blocks.ts'),
  variants: () => import('./variants.ts'),
  split: () => import('./conv-pointwise-split.ts'),
  integer: () => import('./integer.ts'),
  halves: () => import('./halves.ts'),
  bytes: () => import('./bytes.ts'),
};

/** Where kernels are that are not of the core, by their names without what follows a slash. */
const moduleOfKernel: Readonly<Record<string, KernelModule>> = {
  'conv-grouped': 'rare',
  'conv-transpose': 'rare',
  pool: 'rare',
  activation: 'rare',
  clip: 'rare',
  affine: 'rare',
  prelu: 'rare',
  'l2-normalize': 'rare',
  resize: 'rare',
  concat: 'rare',
  reshape: 'rare',
  transpose: 'rare',
  'inverted-residual': 'blocks',
  'universal-bottleneck': 'blocks',
  'expand-depthwise': 'blocks',
  'conv-pointwise-gated': 'blocks',
  'conv-project': 'blocks',
  'pool-fully-connected': 'blocks',
  'conv-pointwise-tiled': 'variants',
  'conv-pointwise-split': 'split',
  'conv-depthwise-strip': 'variants',
  'conv-depthwise-tile': 'variants',
  half: 'halves',
  byte: 'bytes',
};

/** The core and what these modules add. */
export async function fetchKernels(names: Iterable<KernelModule>): Promise<KernelRegistry> {
  const added = await Promise.all([...new Set(names)].sort().map((name) => modules[name]()));
  const all = (key: Exclude<keyof KernelRegistry, 'halfOperands'>) =>
    [coreKernels, ...added].flatMap((kernels) => kernels[key] ?? []);
  const halfOperands = added.find((kernels) => kernels.halfOperands)?.halfOperands;
  return {
    usual: all('usual'),
    variants: all('variants'),
    starting: all('starting'),
    forms: all('forms'),
    ...(halfOperands && { halfOperands }),
  };
}

/** The module that has the kernels with these names; none for the core's. */
export const modulesOf = (names: readonly string[]): KernelModule[] =>
  names.flatMap((name) => (name.startsWith('int8-') ? 'integer' : (moduleOfKernel[name.split('/')[0]!] ?? [])));

/** Every kernel. */
export const allKernels = (): Promise<KernelRegistry> => fetchKernels(Object.keys(modules) as KernelModule[]);
