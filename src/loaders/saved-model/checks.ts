/** What fields of the JSON in a saved model, and values of its tensors, must be. */
import { field } from '../core/json.ts';

export type Check = (value: unknown) => boolean;

/**
 * Asked to check a tensor's values, which it may do later, once they are there: `check` throws `ModelFormatError`. `made`: the
 * weights that `check` makes of them, where they are no view of the file.
 */
export type ValueCheck = (tensor: string, check: () => void, made?: Float32Array) => void;

export const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const isText: Check = (value) => typeof value === 'string';
export const isPair: Check = (value) => Array.isArray(value) && value.length === 2 && value.every(isCount);
export const isShape: Check = (value) => Array.isArray(value) && value.length === 4 && value.every(isCount);
export const isPadding: Check = (value) =>
  ['top', 'left', 'bottom', 'right'].every((side) => isCount(field(value, side)));
export const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
export const isActivation = oneOf('none', 'relu', 'relu6', 'hard-swish', 'hard-sigmoid', 'sigmoid');
