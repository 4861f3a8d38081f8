import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';

/**
 * Pixels as RGBA bytes, row by row from the top left; a canvas's `ImageData` is one. They are taken as they lie: whoever
 * decodes a file turns the picture upright, as browsers do (`createImageBitmap`, `<img>`, EXIF Orientation); what a decoder
 * left lying is turned by the rule's `rotate` and `flip`.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** The constant of channel `c`; a list of one is for all. */
export const constant = (values: readonly number[], c: number): number => values[values.length === 1 ? 0 : c]!;

/** Throws `UsageError` where the data are not width · height · 4 bytes. */
export function checkPicture({ width, height, data }: Picture): void {
  if (data.length !== width * height * 4) {
    throw new UsageError(
      `a picture of ${width} × ${height} pixels has ${data.length} bytes, expected ${width * height * 4} (RGBA)`,
    );
  }
}

/** Throws `UsageError` where the rule does not make a tensor of `channels` channels. */
export function checkRule(rule: ImageRule, channels: number): void {
  const made = rule.channels === 'grey' ? 1 : 3;
  if (channels !== made) {
    throw new UsageError(`channels "${rule.channels}" makes ${made}, but the input tensor has ${channels}`);
  }
  for (const key of ['scale', 'offset'] as const) {
    if (rule[key].length !== 1 && rule[key].length !== channels) {
      throw new UsageError(`the image rule's ${key} has ${rule[key].length} values, expected 1 or ${channels}`);
    }
  }
}
