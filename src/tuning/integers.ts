import type { Gpu } from '../device/gpu.ts';
import type { KernelPreferences } from '../planner/select.ts';
import { probeIntegers } from '../scheduler/integer-probe.ts';

/** On software adapters, by whether they have subgroups. */
const software = (subgroups: boolean): string[] => [
  'int8-fully-connected/4x1-texture',
  'int8-mean/4x1',
  'int8-depthwise/r64',
  ...(subgroups
    ? [
        'int8-pointwise/p14-c32-texture-broadcast-software',
        'int8-pointwise/p7-c16-texture-broadcast-software',
        'int8-direct/p7-c16-texture-broadcast-software',
      ]
    : ['int8-pointwise/p7-c16-texture-software', 'int8-direct/p7-c16-texture-software']),
];

/** On hardware the packed dot product, where it is found, by tiles that Intel's compilers, too, keep in registers. */
const hardware = [
  'int8-fully-connected/8x8-dot',
  'int8-pointwise-dot/p2-c8-buffer-line',
  'int8-pointwise-dot/p4-c4-buffer-line',
  'int8-direct-dot/p2-c4-buffer-line',
];

/** Preferences for a graph of stored integers: what the device makes of them is probed. */
export async function integerPreferences(gpu: Gpu, base: KernelPreferences): Promise<KernelPreferences> {
  await probeIntegers(gpu);
  const { features } = gpu;
  return {
    ...base,
    features,
    prefer: [...(gpu.adapter.software ? software(features.includes('subgroups')) : hardware), ...base.prefer],
  };
}
