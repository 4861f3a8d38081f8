import type { Pool, Shape } from '../../src/graph/ops.ts';
import type { KernelCase } from './case.ts';
import { channelCounts } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';

const none = { top: 0, left: 0, bottom: 0, right: 0 };
const same = { top: 1, left: 1, bottom: 1, right: 1 };

function poolCase(input: Shape, spec: Partial<Pool>): KernelCase {
  const node = {
    op: 'pool' as const,
    kind: spec.kind ?? 'average',
    kernel: spec.kernel ?? ([3, 3] as const),
    stride: spec.stride ?? ([1, 1] as const),
    padding: spec.padding ?? none,
    countPadding: spec.countPadding ?? false,
  };
  const { top, left, bottom, right } = node.padding;
  const counted = node.countPadding ? ', padding counts' : '';
  const title = `${node.kind} ${input.join('×')}, k ${node.kernel.join('×')}, s ${node.stride.join('×')}, pad ${[top, left, bottom, right]}${counted}`;
  return { title, node, inputs: [input] };
}

describeKernel(
  'pool',
  (['average', 'max'] as const).flatMap((kind) => [
    ...channelCounts.map((channels) => poolCase([1, 7, 6, channels], { kind, padding: same })),
    poolCase([1, 7, 8, 6], { kind, stride: [2, 2] }),
    poolCase([1, 8, 7, 6], { kind, stride: [2, 2], padding: { ...none, bottom: 1, right: 1 } }),
    poolCase([1, 9, 9, 6], { kind, kernel: [2, 4], stride: [2, 3], padding: { top: 1, left: 3, bottom: 0, right: 2 } }),
    poolCase([3, 6, 5, 7], { kind, kernel: [2, 2], stride: [2, 2] }),
    poolCase([1, 7, 7, 12], { kind, kernel: [7, 7] }),
    poolCase([1, 6, 6, 5], { kind, padding: same, countPadding: true }),
  ]),
);
