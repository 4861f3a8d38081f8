import type { AdapterDescription } from '../device/gpu.ts';
import type { KernelPreferences } from '../planner/select.ts';
import { likelyVendor } from './device-class.ts';

/*
 * Hardware of a class keeps the largest tile whose sums its compilers hold in registers, each class in the order of the
 * compilers' estimates, and a smaller one, or sums split over invocations, where a layer would leave the device idle.
 * docs/performance.md has the figures.
 */

const USUAL = 'p2-c8-line';

/** By tiles, pixels × channels and what lanes differ in, or slices of split sums. */
const pointwise = (...tiles: readonly string[]): string[] =>
  tiles.flatMap((tile) => {
    if (/s.$/.test(tile)) return `conv-pointwise-split/${tile}`;
    const of = tile === USUAL ? '' : `/${tile.replace(/-(?=[^-]*$)/, '-buffer-')}`;
    return [`conv-pointwise${of}`, `conv-pointwise-gated${of}`];
  });

const large = pointwise('p4-c16-line', 'p4-c8-line', 'p4-c16-s4', 'p4-c16-s8');
const stem = (tile: string) => `conv-stem/${tile}`;
const direct = (tile: string) => `conv-direct/${tile}`;

/** Depthwise tiles that so many vec4 a lane leave room for, and blocks of twice the registry's sums. */
const registers = (vectors: 32 | 64): string[] => [
  `conv-depthwise/r${vectors}`,
  'inverted-residual/c8',
  'conv-project/c8',
];

/** By vendor. A stem is before other convolutions, which multiply a fourth channel. */
const classes: Readonly<Record<string, readonly string[]>> = {
  // 128 registers of 8 or 16 lanes: what is uniform takes few of them, so lanes are of one axis.
  intel: [
    ...pointwise('p4-c4-channels', 'p2-c8-pixels', 'p2-c4-line'),
    stem('p2-c4-buffer-pixels'),
    direct('p2-c4-buffer-pixels'),
  ],
  // 64 registers a lane.
  arm: [...pointwise('p4-c4-line', 'p4-c4-s4'), 'inverted-residual/p2', 'conv-project/p2', 'universal-bottleneck/p2'],
  // 128 registers a lane; splitting sums costs nothing.
  apple: [...large, ...registers(32), stem('p4-c8-buffer-line'), direct('p4-c16-buffer-line')],
  // Waves wait for loads: the most products a load.
  qualcomm: [...large, ...registers(64), stem('p4-c8-buffer-line'), direct('p4-c16-buffer-line')],
  // A barrier costs more than a small tile, and registers of large ones more than they save.
  amd: [
    ...pointwise(USUAL, 'p1-c8-line'),
    ...registers(64),
    stem('p4-c16-buffer-pixels'),
    direct('p4-c16-buffer-line'),
  ],
  // 64 registers leave two thirds of the warps; the smallest devices have thousands of lanes.
  nvidia: [...pointwise('p4-c4-line', 'p2-c4-line', 'p2-c4-s4'), ...registers(32)],
  // Nothing that any of these would keep in memory.
  '': pointwise(USUAL, 'p2-c4-line', 'p2-c4-s4'),
};

/**
 * Before these where layers compute in halves: the largest tiles that keep as few registers as float32's, with two tiles of
 * weights under way and what is halved beside them.
 */
const inHalves: Readonly<Record<string, readonly string[]>> = {
  arm: [...pointwise(USUAL, 'p2-c4-line'), direct('p1-c8-buffer-line')],
  apple: [...pointwise('p4-c8-line', 'p4-c4-line'), direct('p4-c8-buffer-line')],
  qualcomm: [...pointwise('p4-c8-line', 'p4-c4-line'), direct('p4-c8-buffer-line')],
  amd: [...pointwise('p1-c8-line'), direct('p2-c4-buffer-pixels')],
};

/** RDNA 3 has half as many registers again. */
const newAmd = [...pointwise('p4-c8-line'), stem('p4-c16-buffer-pixels'), direct('p4-c8-buffer-line')];

/** Matrix-vector products: few outputs are summed in more slices. */
const products = ['matrix-vector', 'fully-connected'].flatMap((name) => [name, `${name}/4x16-buffer`]);

/** Invocations that keep the class's smaller devices busy. */
const FILL = 1000;
const NVIDIA_FILL = 4000;

/** The kernels that hardware starts with, and keeps until the tuner has measured. */
export function hardwarePreferences(
  adapter: AdapterDescription,
  arithmetic: KernelPreferences['arithmetic'],
): KernelPreferences {
  const { features, architecture } = adapter;
  const likely = likelyVendor(adapter);
  // Samsung's GPUs are AMD's.
  const vendor = likely === 'samsung' ? 'amd' : likely;
  const newer = vendor === 'amd' && /^rdna-?[3-9]/.test(architecture);
  const halves = (arithmetic && inHalves[vendor]) ?? [];
  const prefer = [...products, ...halves, ...(newer ? newAmd : []), ...(classes[vendor] ?? classes['']!)];
  return { features, prefer, fill: vendor === 'nvidia' ? NVIDIA_FILL : FILL, arithmetic };
}
