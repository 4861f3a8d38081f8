/** Operations that formats state in their own ways and that become the same in the graph. */
import type { Activation, Pool } from '../../graph/ops.ts';
import type { Constant } from './constants.ts';
import type { Value } from './import-builder.ts';
import type { Operands } from './operands.ts';

export const activation =
  (name: Activation) =>
  ({ builder, place, variable }: Operands): Value =>
    builder.activation(place, variable(0), name);

export const floatData = ({ data }: Constant): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data);

/** Mean or maximum of the first input over `stated` dimensions, from the end where negative. */
export function reduced(
  { builder, place, variable }: Operands,
  kind: Pool['kind'],
  stated: ArrayLike<number>,
  keepDims: boolean,
): Value {
  const x = variable(0);
  const rank = x.dims.length;
  const what = kind === 'average' ? 'mean' : 'maximum';
  if (stated.length > rank) builder.damaged(place, `takes the ${what} over ${stated.length} axes of [${x.dims}]`);
  const axes = Array.from(stated, (axis) => (axis < 0 ? axis + rank : axis));
  if (!axes.every((axis) => axis in x.dims)) builder.damaged(place, `takes the ${what} over ${axes} of [${x.dims}]`);
  return builder.reduce(place, x, kind, axes, keepDims);
}
