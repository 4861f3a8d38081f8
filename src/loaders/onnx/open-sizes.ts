import { MobileNetError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { inputShapeOf } from '../core/inputs.ts';
import type { LoadGraphOptions } from '../model-files.ts';

/** Sides of pictures that MobileNets are made for, the usual first. */
const sides = [224, 192, 160, 128, 96, 256, 320];

/**
 * For an `input` whose height or width is open, null in `dims`: throws `UsageError` with a size with which the network loads, or the network's own error where it has the same with
 * every size.
 */
export async function suggestSizes(
  file: string,
  input: string,
  dims: readonly (number | null)[],
  load: (options: LoadGraphOptions) => Promise<Graph>,
  options: LoadGraphOptions,
): Promise<never> {
  const known = dims.map((d, i) => d ?? (i === 0 ? 1 : null));
  let example = known.map((d) => d ?? sides[0]!);
  let before: string | undefined;
  for (const side of sides) {
    const shape = known.map((d) => d ?? side);
    try {
      await load({ ...options, inputShapes: { ...options.inputShapes, [input]: shape } });
      example = shape;
      break;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof MobileNetError) || error.message === before) throw error;
      before = error.message;
    }
  }
  inputShapeOf(file, input, [], dims, options, example);
  throw new Error('a size is open');
}
