import type { AdapterDescription } from '../device/gpu.ts';
import type { KernelPreferences } from '../planner/select.ts';

/**
 * Kernels that a device starts with, before anything was measured on it; docs/performance.md has the figures.
 *
 * Hardware keeps the registry's own: weights in a buffer, 4 × 16 sums. AMD's compiler makes 80 % multiply-adds of that
 * at 10 waves, and 74 % at 8 with weights in a texture.
 *
 * Software adapters pay for every load, whatever its address, more than for arithmetic: larger tiles, weights in a
 * texture (a texel is one load, a vec4 of a buffer is four), and lanes that hand weights round where the adapter has
 * subgroups (SwiftShader); small workgroups, as lanes are four or eight wide.
 */
export function defaultPreferences(adapter: AdapterDescription): KernelPreferences {
  const { fallback, features } = adapter;
  if (!fallback) return { features, prefer: [] };
  const prefer = [
    'conv-pointwise/p7-c24-texture-broadcast',
    'conv-pointwise/p7-c16-texture',
    'conv-direct/p7-c32-texture-broadcast',
    'conv-direct/p7-c16-texture',
  ];
  return { features, prefer };
}
