import type { AdapterDescription } from '../device/gpu.ts';
import type { KernelPreferences } from '../planner/select.ts';
import { type DeviceClass, deviceClass } from './device-class.ts';

/*
 * Kernels that a device starts with, before anything was measured on it; docs/performance.md has the figures.
 *
 * Hardware of a class keeps the largest tile whose sums its compilers hold in registers, each class in the order of the
 * compilers' estimates, and a smaller one, or sums split over invocations, where a layer would leave the device idle.
 *
 * Software adapters pay for every load, whatever its address, more than for arithmetic: large tiles, weights in a
 * texture (a texel is one load, a vec4 of a buffer is four), and lanes that hand weights round where the adapter has
 * subgroups (SwiftShader; Mesa's lavapipe in Firefox has none). Lanes are four or eight wide, so workgroups are small.
 */

const USUAL = 'p2-c8-line';

type HardwareClass = Exclude<DeviceClass, 'software'>;

/** By tiles, pixels × channels and what lanes differ in, or slices of split sums. */
const pointwise = (...tiles: readonly string[]): string[] =>
  tiles.flatMap((tile) => {
    if (/-s\d/.test(tile)) return `conv-pointwise-split/${tile}`;
    const of = tile === USUAL ? '' : `/${tile.replace(/-(?=[a-z]+$)/, '-buffer-')}`;
    return [`conv-pointwise${of}`, `conv-pointwise-gated${of}`];
  });

const large = pointwise('p4-c16-line', 'p4-c8-line', 'p4-c16-s4', 'p4-c16-s8');

/** A stem is before other convolutions, which multiply a fourth channel. */
const defaults: Readonly<Record<HardwareClass, readonly string[]>> = {
  // 128 registers of 8 or 16 lanes: what is uniform takes few of them, so lanes are of one axis.
  intel: [
    ...pointwise('p4-c4-channels', 'p2-c8-pixels', 'p2-c4-line'),
    'conv-stem/p2-c4-buffer-pixels',
    'conv-direct/p2-c4-buffer-pixels',
  ],
  // 64 registers a lane.
  mali: pointwise('p4-c4-line', 'p4-c4-s4'),
  small: pointwise('p4-c4-line', 'p4-c4-s4'),
  // 128 registers a lane; splitting sums costs nothing.
  apple: [...large, 'conv-stem/p4-c8-buffer-line', 'conv-direct/p4-c16-buffer-line'],
  // Waves wait for loads: the most products a load.
  adreno: [...large, 'conv-stem/p4-c16-buffer-pixels', 'conv-direct/p4-c16-buffer-line'],
  // A barrier costs more than a small tile, and registers of large ones more than they save.
  amd: [...pointwise(USUAL, 'p1-c8-line'), 'conv-stem/p4-c16-buffer-pixels', 'conv-direct/p4-c16-buffer-line'],
  // 64 registers leave two thirds of the warps; the smallest devices have thousands of lanes.
  nvidia: pointwise('p4-c4-line', 'p2-c4-line', 'p2-c4-s4'),
  // Nothing that any of these would keep in memory.
  unknown: pointwise(USUAL, 'p2-c4-line', 'p2-c4-s4'),
};

/** RDNA 3 has half as many registers again. */
const newAmd = [...pointwise('p4-c8-line'), 'conv-stem/p4-c16-buffer-pixels', 'conv-direct/p4-c8-buffer-line'];

/** Matrix-vector products: few outputs are summed in more slices. */
const products = ['matrix-vector', 'fully-connected'].flatMap((stem) => [stem, `${stem}/4x16-buffer`]);

/** Invocations that keep the class's smaller devices busy; NVIDIA's smallest have thousands of lanes. */
const FILL = 1000;
const NVIDIA_FILL = 4000;

function hardwarePreferences(adapter: AdapterDescription, hardware: HardwareClass): KernelPreferences {
  const newer = hardware === 'amd' && /^rdna-?[3-9]/.test(adapter.architecture);
  return {
    features: adapter.features,
    prefer: [...products, ...(newer ? newAmd : []), ...defaults[hardware]],
    fill: hardware === 'nvidia' ? NVIDIA_FILL : FILL,
  };
}

/** The kernels of the first result. On software adapters, which compile slowly: the shortest code that is not slow. */
export function startingPreferences(adapter: AdapterDescription): KernelPreferences {
  const { features } = adapter;
  const found = deviceClass(adapter);
  if (found !== 'software') return hardwarePreferences(adapter, found);
  const prefer = features.includes('subgroups')
    ? ['conv-any/p4-c8-texture-broadcast-software', 'conv-depthwise-any/p4']
    : ['conv-any/p2-c8-texture-software', 'conv-depthwise-any/p2'];
  return { features, prefer: [...vectors, ...prefer, gated] };
}

/** The kernels that follow in the background: the fastest known for a kind of device. */
export function shippedPreferences(adapter: AdapterDescription): KernelPreferences {
  const { features } = adapter;
  const found = deviceClass(adapter);
  if (found !== 'software') return hardwarePreferences(adapter, found);
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
        'conv-stem/p7-c16-texture-software',
        'conv-direct/p4-c16-texture-software',
        'conv-depthwise-strip/c4-r8',
      ];
  return { features, prefer: [...prefer, 'conv-depthwise-strip/c1-r8', ...vectors, gated] };
}

/** Matrix-vector products read each weight once: as a texel. Nothing waits at a barrier, which costs a software adapter most. */
const vectors = ['matrix-vector/4x1-texture', 'fully-connected/4x1-texture', 'global-average-pool/4x1'];

const gated = 'conv-pointwise-gated/p4-c16-buffer-software';
