import type { IntegerResize } from './integers.ts';

/** Where an output row or column reads: two places, and the weight of the second in 2048ths. */
export interface ResizePlace {
  readonly first: number;
  readonly second: number;
  readonly weight: number;
}

/** Of each of `size` rows or columns of the output, by float32 steps as XNNPACK's (src/indirection.c). */
export function resizePlaces(input: number, size: number, corners: IntegerResize['corners']): ResizePlace[] {
  const { fround } = Math;
  const less = corners === 'align' && size > 1 ? 1 : 0;
  const scale = fround((input - less) / (size - less));
  const offset = corners === 'half-pixel' ? fround(fround(0.5 * scale) - 0.5) : 0;
  return Array.from({ length: size }, (_, i) => {
    const at = Math.min(Math.max(fround(fround(i * scale) + offset), 0), input - 1);
    const first = Math.floor(at);
    const fraction = 2048 * (at - first);
    const below = Math.floor(fraction);
    const up = fraction - below > 0.5 || (fraction - below === 0.5 && below % 2 === 1);
    return { first, second: Math.min(first + 1, input - 1), weight: below + (up ? 1 : 0) };
  });
}
