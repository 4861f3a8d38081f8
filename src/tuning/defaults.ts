import type { AdapterDescription, Gpu } from '../device/gpu.ts';
import type { Graph } from '../graph/graph.ts';
import type { KernelPreferences } from '../planner/select.ts';

/*
 * Kernels that a device starts with, before anything was measured on it; docs/performance.md has the figures.
 *
 * Software adapters pay for every load, whatever its address, more than for arithmetic: large tiles, weights in a
 * texture (a texel is one load, a vec4 of a buffer is four), and lanes that hand weights round where the adapter has
 * subgroups (SwiftShader; Mesa's lavapipe in Firefox has none). Lanes are four or eight wide, so workgroups are small.
 */

/** The kernels of the first result. On software adapters, which compile slowly: the shortest code that is not slow. */
export async function startingPreferences(
  adapter: AdapterDescription,
  arithmetic?: KernelPreferences['arithmetic'],
): Promise<KernelPreferences> {
  const { software, features } = adapter;
  if (!software) return (await import('./hardware.ts')).hardwarePreferences(adapter, arithmetic);
  const prefer = features.includes('subgroups')
    ? ['conv-any/p4-c8-texture-broadcast-software', 'conv-depthwise-any/p4']
    : ['conv-any/p2-c8-texture-software', 'conv-depthwise-any/p2'];
  return { features, prefer: [...vectors, ...blocks, ...prefer], arithmetic };
}

/** Matrix-vector products read each weight once: as a texel. Nothing waits at a barrier, which costs a software adapter most. */
export const vectors = ['matrix-vector/4x1-texture', 'fully-connected/4x1-texture', 'global-average-pool/4x1'];

/** Whole blocks with the largest tiles: registers are memory there in any case. */
export const blocks = [
  'inverted-residual/c16',
  'conv-project/c16',
  'expand-depthwise/e4',
  'universal-bottleneck/e4',
  'conv-pointwise-gated/p4-c16-buffer-software',
];

/** With those for operations on integers, which are fetched where a graph has such; `first`: of the first result. */
export const preferencesOf = async (
  gpu: Gpu,
  graph: Graph,
  base: KernelPreferences,
  first = false,
): Promise<KernelPreferences> =>
  graph.nodes.some(({ op }) => op === 'integer')
    ? (await import('./integers.ts')).integerPreferences(gpu, base, first)
    : base;
