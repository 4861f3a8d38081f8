import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import { normalised } from '../graph/image-presets.ts';
import { plainImage } from '../graph/image-rule.ts';

/**
 * What is said of a rule. Left out is as the file's own rule has it, else `plainImage`: the whole picture stretched,
 * bilinear, antialiased, half-pixel centres, colours as the input has channels, pixels 0 … 255 as they are.
 */
export interface PartialImageRule extends Partial<ImageRule> {
  /** In place of scale and offset: (pixel / 255 − mean) / std, one number for all channels or one each; 0 and 1 unless given. */
  readonly mean?: number | readonly number[];
  readonly std?: number | readonly number[];
}

const keys = [...Object.keys(plainImage), 'rotate', 'flip', 'region', 'mean', 'std'];

/** `base` with what is said beside it. Throws `UsageError` where that is unknown or does not go together. */
export function withFields(base: ImageRule, option: PartialImageRule, channels: number): ImageRule {
  const said = Object.fromEntries(
    Object.entries(option).filter(([, value]) => value !== undefined),
  ) as PartialImageRule;
  const unknown = Object.keys(said).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new UsageError(`image has "${unknown}", expected ${keys.join(', ')}`);
  const { mean, std, ...rest } = said;
  const rule = { ...base, ...rest };
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
