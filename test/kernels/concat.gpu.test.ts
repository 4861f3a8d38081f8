import { describeKernel } from './describe-kernel.ts';

const counts = [
  [4, 8],
  [3, 5],
  [1, 1],
  [7, 130],
  [130, 4],
  [6, 2],
] as const;

describeKernel('concat', [
  ...counts.map(([a, b]) => ({
    title: `${a} and ${b} channels`,
    node: { op: 'concat' as const },
    inputs: [[1, 4, 5, a] as const, [1, 4, 5, b] as const],
  })),
  {
    title: 'batch 3',
    node: { op: 'concat' },
    inputs: [
      [3, 2, 3, 5],
      [3, 2, 3, 6],
    ],
  },
]);
