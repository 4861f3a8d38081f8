import type { AdapterDescription } from '../device/gpu.ts';
import type { KernelPreferences } from '../planner/select.ts';
import { blocks, startingPreferences, vectors } from './defaults.ts';

/** The kernels that follow in the background: the fastest known for a kind of device. */
export async function shippedPreferences(
  adapter: AdapterDescription,
  arithmetic?: KernelPreferences['arithmetic'],
): Promise<KernelPreferences> {
  const { software, features } = adapter;
  if (!software) return startingPreferences(adapter, arithmetic);
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
    : [
        'conv-pointwise/p7-c16-texture-software',
        'conv-pointwise-gated/p7-c16-texture-software',
        'conv-stem/p7-c16-texture-software',
        'conv-direct/p4-c16-texture',
        'conv-depthwise-strip/c4-r8',
      ];
  return { features, prefer: [...prefer, 'conv-depthwise-strip/c1-r8', ...vectors, ...blocks], arithmetic };
}
