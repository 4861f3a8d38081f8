/** How callers say how a picture becomes the input: by a name that people know, or by what differs from it. */
import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import { type ImagePreset, normalised, presets } from '../graph/image-presets.ts';
import { coloursOf, plainImage } from '../graph/image-rule.ts';

/**
 * What is said of a rule. Left out is as the file's own rule has it, else `plainImage`: the whole picture stretched,
 * bilinear, antialiased, half-pixel centres, colours as the input has channels, pixels 0 … 255 as they are.
 */
export interface PartialImageRule extends Partial<ImageRule> {
  /** In place of scale and offset: (pixel / 255 − mean) / std, one number for all channels or one each; 0 and 1 unless given. */
  readonly mean?: number | readonly number[];
  readonly std?: number | readonly number[];
}

export type { ImagePreset };

export type ImageOption = ImagePreset | PartialImageRule;

const keys = [...Object.keys(plainImage), 'rotate', 'flip', 'region', 'mean', 'std'];

/**
 * The rule that an option comes to for an input of `channels` channels; `own` is the file's. Throws `UsageError` where
 * there is none, or where something is said that is unknown or does not go together.
 */
export function resolveImage(
  option: ImageOption | undefined,
  own: ImageRule | undefined,
  channels: number,
  model: string,
): ImageRule {
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
  const said = Object.fromEntries(
    Object.entries(option).filter(([, value]) => value !== undefined),
  ) as PartialImageRule;
  const unknown = Object.keys(said).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new UsageError(`image has "${unknown}", expected ${keys.join(', ')}`);
  const { mean, std, ...rest } = said;
  const rule = { ...(own ?? plain), ...rest };
  if (mean === undefined && std === undefined) return rule;
  if (rest.scale || rest.offset)
    throw new UsageError('image has mean or std, and scale or offset: pass one pair of them');
  const listed = (values: number | readonly number[]) => (typeof values === 'number' ? [values] : values);
  const [means, deviations] = [listed(mean ?? 0), listed(std ?? 1)];
  for (const [key, values] of Object.entries({ mean: means, std: deviations })) {
    const sound = values.every((value) => Number.isFinite(value) && (key === 'mean' || value > 0));
    if (!sound || ![1, channels].includes(values.length)) {
      throw new UsageError(
        `image.${key} is [${values}], expected a number or ${channels}${key === 'std' ? ', above 0' : ''}, of pixels 0 … 1`,
      );
    }
  }
  return { ...rule, ...normalised(means, deviations) };
}
