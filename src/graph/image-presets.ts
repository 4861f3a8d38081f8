/** Rules for pictures that people know by name. */
import type { ImageRule } from './graph.ts';

/**
 * `keras`: all of the picture, stretched, −1 … 1 (`preprocess_input` of MobileNet and V2).
 * `torchvision`: of the short side 224/256, the centre; ImageNet's mean and deviation (`ImageClassification`).
 * `timm`: as torchvision, bicubic (`create_transform` of its MobileNets).
 * `zeroToOne`: all of the picture, stretched, 0 … 1 (TensorFlow Hub).
 */
export type ImagePreset = 'keras' | 'torchvision' | 'timm' | 'zeroToOne';

/** (pixel / 255 − mean) / std as scale and offset; a list of one is for all channels. */
export const normalised = (mean: readonly number[], std: readonly number[]): Pick<ImageRule, 'scale' | 'offset'> => {
  const each = Array.from({ length: Math.max(mean.length, std.length) }, (_, i) => i);
  const at = (values: readonly number[], i: number) => values[values.length === 1 ? 0 : i]!;
  return {
    scale: each.map((i) => 1 / (255 * at(std, i))),
    offset: each.map((i) => -at(mean, i) / at(std, i)),
  };
};

const torchvision: Partial<ImageRule> = {
  fit: 'crop',
  cropFraction: 224 / 256,
  ...normalised([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
};

/** What each has other than `plainImage`. */
export const presets: Readonly<Record<ImagePreset, Partial<ImageRule>>> = {
  keras: normalised([0.5], [0.5]),
  torchvision,
  timm: { ...torchvision, filter: 'bicubic' },
  zeroToOne: normalised([0], [1]),
};
