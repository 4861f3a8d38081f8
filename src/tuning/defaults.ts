import type { AdapterDescription } from '../device/gpu.ts';
import type { KernelPreferences } from '../planner/select.ts';

/*
 * Kernels that a device starts with, before anything was measured on it; docs/performance.md has the figures.
 *
 * Hardware keeps the registry's own: weights in a buffer, 4 × 16 sums. AMD's compiler makes 80 % multiply-adds of that
 * at 10 waves, and 73 % at 8 with weights in a texture. Of other makers' GPUs nothing was measured: there the tuner
 * decides.
 *
 * Software adapters pay for every load, whatever its address, more than for arithmetic: large tiles, weights in a
 * texture (a texel is one load, a vec4 of a buffer is four), and lanes that hand weights round where the adapter has
 * subgroups (SwiftShader; Mesa's lavapipe in Firefox has none). Lanes are four or eight wide, so workgroups are small.
 */

/** The kernels of the first result. On software adapters, which compile slowly: the shortest code that is not slow. */
export function startingPreferences({ software, features }: AdapterDescription): KernelPreferences {
  if (!software) return { features, prefer: [] };
  const prefer = features.includes('subgroups')
    ? ['conv-any/p4-c8-texture-broadcast-software', 'conv-depthwise-any/p4']
    : ['conv-any/p2-c8-texture-software', 'conv-depthwise-any/p2'];
  return { features, prefer: [...vectors, ...blocks, ...prefer] };
}

/** The kernels that follow in the background: the fastest known for a kind of device. */
export function shippedPreferences({ software, features }: AdapterDescription): KernelPreferences {
  if (!software) return { features, prefer: [] };
  const prefer = features.includes('subgroups')
    ? [
        'conv-pointwise/p14-c32-texture-broadcast-software',
        'conv-pointwise/p7-c24-texture-broadcast-software',
        'conv-stem/p7-c16-texture-broadcast-software',
        'conv-direct/p7-c32-texture-broadcast-software',
        'conv-direct/p7-c16-texture-broadcast-software',
        'conv-depthwise-strip/c7-r14',
        'conv-depthwise-strip/c4-r8',
      ]
    : ['conv-pointwise/p7-c16-texture-software', 'conv-stem/p7-c16-texture-software', 'conv-depthwise-strip/c4-r8'];
  return { features, prefer: [...prefer, 'conv-depthwise-strip/c1-r8', ...vectors, ...blocks] };
}

/** Matrix-vector products read each weight once: as a texel. Nothing waits at a barrier, which costs a software adapter most. */
const vectors = ['matrix-vector/4x1-texture', 'fully-connected/4x1-texture', 'global-average-pool/4x1'];

/** Whole blocks with the largest tiles: registers are memory there in any case. */
const blocks = ['inverted-residual/c16', 'conv-project/c16', 'expand-depthwise/e4', 'universal-bottleneck/e4'];
