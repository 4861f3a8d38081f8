import { UsageError } from '../../errors.ts';
import type { LoadGraphOptions } from '../model-files.ts';
import { listed } from './import-builder.ts';

/** Throws `UsageError` where `options` has a shape for an input that is none of `names`, which `key` looks it up in. */
export function checkInputShapes(
  file: string,
  { inputShapes = {} }: LoadGraphOptions,
  names: readonly string[],
  key = (name: string) => name,
): void {
  const unknown = Object.keys(inputShapes).find((name) => !names.includes(key(name)));
  if (unknown === undefined) return;
  throw new UsageError(`${file} has no input "${unknown}" to give a shape; its inputs are: ${listed(names)}`);
}

/**
 * The shape of an input: the caller's where one is given for a name in `keys`, else the file's with a batch of 1. `dims`
 * is null where the file states none, a dimension null where it is dynamic; `example` is for the message where neither
 * is known. Throws `UsageError`.
 */
export function inputShapeOf(
  file: string,
  name: string,
  keys: readonly string[],
  dims: readonly (number | null)[] | null,
  options: LoadGraphOptions,
  example: readonly number[] = [1, 224, 224, 3],
): number[] {
  const shapes = options.inputShapes ?? {};
  const given = keys.flatMap((key) => (Object.hasOwn(shapes, key) ? [shapes[key]!] : []))[0];
  if (given) {
    const fits = !dims || (dims.length === given.length && dims.every((d, i) => d === null || d === given[i]));
    if (!fits || !given.every((d) => Number.isSafeInteger(d) && d > 0)) {
      const expected = dims ? `[${dims.map((d) => d ?? 'any')}]` : 'whole numbers ≥ 1';
      throw new UsageError(`${file}: input "${name}" cannot have the shape [${given}], expected ${expected}`);
    }
    return [...given];
  }
  const shape = dims?.map((d, i) => d ?? (i === 0 ? 1 : null));
  if (!shape || shape.includes(null)) {
    const found = shape ? `the shape [${dims!.map((d) => d ?? '?')}]` : 'no shape';
    const full = dims?.map((d, i) => d ?? (i === 0 ? 1 : (example[i] ?? 224))) ?? example;
    throw new UsageError(
      `${file}: input "${name}" has ${found} in the file: give one, as the option ` +
        `inputShapes: { "${name}": [${full.join(', ')}] }, or --input-shape ${name}=${full} on the command line`,
    );
  }
  return shape as number[];
}
