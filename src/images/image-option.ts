/** How callers say how a picture becomes the input: by a name that people know, or by what differs from it. */
import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import { type ImagePreset, presets } from '../graph/image-presets.ts';
import { coloursOf, plainImage } from '../graph/image-rule.ts';
import type { PartialImageRule } from './image-fields.ts';

export type { ImagePreset, PartialImageRule };

export type ImageOption = ImagePreset | PartialImageRule;

/**
 * The rule that an option comes to for an input of `channels` channels; `own` is the file's. Throws `UsageError` where
 * there is none, or where something is said that is unknown or does not go together.
 */
export async function resolveImage(
  option: ImageOption | undefined,
  own: ImageRule | undefined,
  channels: number,
  model: string,
): Promise<ImageRule> {
  const names = Object.keys(presets).join(', ');
  if (option === undefined) {
    if (own) return own;
    throw new UsageError(
      `${model} does not say how a picture becomes its input: pass the option "image", one of ${names}, or { mean, std, … }`,
    );
  }
  const plain: ImageRule = { ...plainImage, channels: coloursOf(channels) };
  if (typeof option === 'string') {
    if (!Object.hasOwn(presets, option))
      throw new UsageError(`image is "${option}", expected ${names}, or { mean, std, … }`);
    return { ...plain, ...presets[option] };
  }
  return (await import('./image-fields.ts')).withFields(own ?? plain, option, channels);
}
