import source from '../../shaders/trial-values.wgsl?raw';
import { ceilDiv, outputBinding, type Program, shapeBinding } from './kernel.ts';

/** A tensor as it is stored. */
export interface StoredTensor {
  readonly bytes: number;
  readonly channels: number;
  /** Bytes of an element: a float, a half or a stored integer. */
  readonly element: 4 | 2 | 1;
  /** Without padding lanes. */
  readonly dense: boolean;
}

/** Invocations of a workgroup, as the shaders have them, and workgroups: each invocation takes many words. */
const WORKGROUP = 64;
const MOST_GROUPS = 256;

/** How a shader that takes every so many words of a tensor goes through it. */
export function throughWords({ bytes, channels, element, dense }: StoredTensor) {
  const words = bytes / 4;
  const groups = Math.min(MOST_GROUPS, ceilDiv(words, WORKGROUP));
  return {
    shape: { words, stride: groups * WORKGROUP, channels, pitch: dense ? channels : 4 * ceilDiv(channels, 4) },
    overrides: { IN_WORD: 4 / element },
    workgroups: [groups, 1, 1] as const,
  };
}

/** A unit of the values: multiples of it are exact as halves up to 2048 of them. */
export const UNIT = 2 ** -12;

/** Fills a tensor with seeded multiples of `UNIT`, from −`most` to `most` of them, or any stored integers; with NaN where `most` is 0. */
export function trialValuesProgram(tensor: StoredTensor, most: number, seed: number): Program {
  const { shape, overrides, workgroups } = throughWords(tensor);
  return {
    file: 'trial-values.wgsl',
    source,
    constants: {},
    overrides,
    shape: { ...shape, most, seed },
    bindings: [shapeBinding, outputBinding],
    workgroups,
  };
}
