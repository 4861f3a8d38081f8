import { fuseSums } from './fuse-residual.ts';
import type { Pass } from './pass.ts';

/** `fuseResidual` of stored integers; of one group, as kernels of several add nothing. */
export const fuseIntegerResidual: Pass = (graph) =>
  fuseSums(graph, (node, producer, convolution) => {
    if (node.op !== 'integer' || node.body.kind !== 'add') return null;
    if (producer.op !== 'integer' || producer.body.kind !== 'conv2d' || producer.body.groups > 1) return null;
    const swap = <T>([a, b]: readonly [T, T]): readonly [T, T] => (convolution === 0 ? [a, b] : [b, a]);
    const { factors, zeroPoints } = node.body;
    const residual = { ...node.body, factors: swap(factors), zeroPoints: swap(zeroPoints) };
    return { ...producer, body: { ...producer.body, residual } };
  });
