import type { Pair, Resize } from '../../graph/ops.ts';

/** How ONNX rounds a source coordinate; `simple` is the rule before operator set 11. */
export type Rounding = 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil' | 'simple';

/**
 * The corner rule under which the graph's nearest-neighbour resize picks exactly the pixels that ONNX's coordinate mode
 * and rounding pick between these sizes, or null where there is none.
 */
export function nearestCorners(
  coordinates: string,
  rounding: Rounding,
  from: Pair,
  to: Pair,
): Resize['corners'] | null {
  const candidates = ['half-pixel', 'asymmetric', 'align'] as const;
  const axes = [0, 1] as const;
  const wanted = axes.map((axis) => onnxPixels(coordinates, rounding, from[axis], to[axis]));
  const same = (corners: Resize['corners']) =>
    axes.every((axis) => {
      const pixels = wanted[axis];
      return pixels?.every((pixel, o) => pixel === graphPixel(corners, o, from[axis], to[axis])) ?? false;
    });
  return candidates.find(same) ?? null;
}

const clamp = (value: number, length: number) => Math.min(Math.max(value, 0), length - 1);

/** As `Resize` in graph/ops.ts is defined. */
function graphPixel(corners: Resize['corners'], o: number, from: number, to: number): number {
  switch (corners) {
    case 'half-pixel':
      return clamp(Math.floor(((o + 0.5) * from) / to), from);
    case 'asymmetric':
      return clamp(Math.floor((o * from) / to), from);
    case 'align':
      return clamp(Math.floor((to > 1 ? (o * (from - 1)) / (to - 1) : 0) + 0.5), from);
  }
}

function onnxPixels(coordinates: string, rounding: Rounding, from: number, to: number): number[] | null {
  const coordinate = new Map<string, (o: number) => number>([
    ['half_pixel', (o) => ((o + 0.5) * from) / to - 0.5],
    ['half_pixel_symmetric', (o) => ((o + 0.5) * from) / to - 0.5],
    ['pytorch_half_pixel', (o) => (to > 1 ? ((o + 0.5) * from) / to - 0.5 : 0)],
    ['tf_half_pixel_for_nn', (o) => ((o + 0.5) * from) / to],
    ['align_corners', (o) => (to > 1 ? (o * (from - 1)) / (to - 1) : 0)],
    ['asymmetric', (o) => (o * from) / to],
  ]).get(coordinates);
  const round = new Map<string, (x: number) => number>([
    ['round_prefer_floor', (x) => Math.ceil(x - 0.5)],
    ['round_prefer_ceil', (x) => Math.floor(x + 0.5)],
    ['floor', Math.floor],
    ['ceil', Math.ceil],
    ['simple', to < from ? Math.ceil : Math.floor],
  ]).get(rounding);
  if (!coordinate || !round) return null;
  return Array.from({ length: to }, (_, o) => clamp(round(coordinate(o)), from));
}
