import type { Shape } from '../../src/graph/ops.ts';
import { describeKernel } from './describe-kernel.ts';

describeKernel(
  'concat',
  ([0, 1, 2] as const).flatMap((axis) =>
    [1, 6, 8].map((channels) => {
      const shape = (length: number) =>
        [2, 3, 4, channels].map((d, i) => (i === axis ? length : d)) as unknown as Shape;
      const title = `${channels} channels along axis ${axis}`;
      return { title, node: { op: 'concat' as const, axis }, inputs: [shape(5), shape(2)] };
    }),
  ),
);
