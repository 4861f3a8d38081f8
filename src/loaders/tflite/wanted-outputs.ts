import { UsageError } from '../../errors.ts';
import type { Wanted } from './operator.ts';
import type { TfliteTensor } from './tensors.ts';

/** The tensors of these names (option "outputs"). Throws `UsageError` where there is none, or another of that name. */
export const wantedOutputs = (file: string, tensors: readonly TfliteTensor[], names: readonly string[]): Wanted[] =>
  names.map((name) => {
    const index = tensors.findIndex((tensor) => tensor.name === name);
    if (index < 0) throw new UsageError(`${file} has no tensor "${name}" (option "outputs")`);
    if (tensors.some((tensor, other) => other > index && tensor.name === name)) {
      throw new UsageError(`${file} has two tensors named "${name}" (option "outputs"): name another`);
    }
    return { name, index };
  });
