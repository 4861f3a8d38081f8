import type { Integer } from './integers.ts';
import type { Node } from './ops.ts';

/**
 * The operation on real numbers of the same shapes and weights' layout: what an operation on integers costs and gives is told by
 * it. Its weights are the stored integers, which only their number is asked of.
 */
export function realNode({ name, inputs, output, body }: Integer): Node {
  const base = { name, inputs, output };
  switch (body.kind) {
    case 'conv2d':
    case 'conv-transpose2d':
    case 'fully-connected':
      return { ...body, ...base, op: body.kind, activation: 'none' } as unknown as Node;
    case 'add':
    case 'pairs':
      return { ...base, op: 'add', activation: 'none' };
    case 'multiply':
      return { ...base, op: 'multiply', activation: 'none' };
    case 'pool': {
      const { pool, window, stride, padding } = body;
      return { ...base, op: 'pool', kind: pool, kernel: window, stride, padding, countPadding: false };
    }
    case 'mean':
      return { ...base, op: 'global-average-pool' };
    case 'resize':
      return { ...body, ...base, op: 'resize' };
    case 'concat':
      return { ...base, op: 'concat', axis: body.axis };
    case 'reshape':
      return { ...base, op: 'reshape', shape: body.shape };
    case 'transpose':
      return { ...base, op: 'transpose', permutation: body.permutation };
    case 'pad':
      return { ...base, op: 'pad', padding: body.padding };
    case 'lookup':
    case 'quantise':
    case 'dequantise':
      return { ...base, op: 'activation', activation: 'none' };
  }
}
