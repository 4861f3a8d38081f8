import type { Shape } from '../../src/graph/ops.ts';
import { describeKernel } from './describe-kernel.ts';
import { type IntegerTemplate, integerCase } from './integer-cases.ts';

const concat = (axis: 0 | 1 | 2 | 3, ...sizes: readonly number[]) => {
  const shapes = sizes.map((size): Shape => {
    const shape: [number, number, number, number] = [2, 3, 4, axis === 3 ? 0 : 7];
    shape[axis] = size;
    return shape;
  });
  return [false, true].map((asTheyAre) => {
    const body: IntegerTemplate<'concat'> = { kind: 'concat', axis, ends: { ties: asTheyAre } };
    return integerCase(`axis ${axis}, ${sizes}${asTheyAre ? '' : ', tables'}`, body, shapes);
  });
};

describeKernel('int8-concat', [
  ...[
    [4, 8],
    [3, 5],
    [1, 1],
    [7, 130],
    [130, 4],
    [8, 3, 5],
    [8, 4, 12, 5],
    [1, 2, 3, 4, 5],
  ].flatMap((sizes) => concat(3, ...sizes)),
  ...([0, 1, 2] as const).flatMap((axis) => concat(axis, 3, 1, 2)),
]);
