import type { Activation, Pair, Shape } from '../../src/graph/ops.ts';
import { invertedResiduals } from '../../src/kernels/inverted-residual.ts';
import type { KernelCase } from './case.ts';
import { convCase } from './conv-cases.ts';
import { describeVariants } from './describe-kernel.ts';

interface BlockSpec {
  readonly size: Pair;
  readonly cin: number;
  /** 0: the depthwise convolution reads the input. */
  readonly hidden: number;
  readonly cout: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly padding?: readonly [number, number, number, number];
  readonly activation?: Activation;
  readonly residual?: boolean;
  readonly batch?: number;
  readonly noBias?: boolean;
}

function block(spec: BlockSpec): KernelCase {
  const { size, cin, hidden, cout, kernel = 3, stride = 1, activation = 'relu6', residual = false, batch = 1 } = spec;
  const side = (kernel - 1) / 2;
  const wide = hidden || cin;
  const parts = [
    ...(hidden ? [convCase({ size, cin, cout: hidden, activation, batch })] : []),
    convCase({
      size,
      cin: wide,
      cout: wide,
      groups: wide,
      kernel: [kernel, kernel],
      stride: [stride, stride],
      padding: spec.padding ?? [side, side, side, side],
      activation,
      batch,
    }),
    convCase({ size, cin: wide, cout }),
  ];
  const input: Shape = [batch, size[0], size[1], cin];
  const title = `${parts.map((part) => part.title).join(' | ')}${residual ? ', residual' : ''}`;
  return {
    title,
    node: { op: 'fused', parts: parts.map((part) => part.node) as never },
    inputs: residual ? [input, input] : [input],
    ...(spec.noBias ? { noBias: true } : {}),
  };
}

describeVariants(invertedResiduals, [
  block({ size: [8, 8], cin: 8, hidden: 0, cout: 16 }),
  block({ size: [9, 7], cin: 6, hidden: 0, cout: 5 }),
  block({ size: [28, 28], cin: 32, hidden: 0, cout: 64, stride: 2, padding: [0, 0, 1, 1] }),
  block({ size: [9, 7], cin: 5, hidden: 30, cout: 5, residual: true }),
  block({ size: [14, 14], cin: 24, hidden: 144, cout: 24, residual: true }),
  block({ size: [15, 14], cin: 24, hidden: 144, cout: 40, stride: 2 }),
  block({ size: [14, 14], cin: 24, hidden: 144, cout: 40, stride: 2, padding: [0, 0, 1, 1] }),
  block({ size: [7, 7], cin: 40, hidden: 120, cout: 40, kernel: 5, activation: 'hard-swish', residual: true }),
  block({ size: [10, 11], cin: 16, hidden: 33, cout: 20, kernel: 5, stride: 2, activation: 'hard-swish' }),
  block({ size: [7, 7], cin: 32, hidden: 64, cout: 320 }),
  block({ size: [7, 7], cin: 32, hidden: 0, cout: 1024 }),
  block({ size: [1, 1], cin: 8, hidden: 16, cout: 8 }),
  block({ size: [5, 6], cin: 7, hidden: 21, cout: 7, batch: 3, residual: true, activation: 'relu' }),
  block({ size: [5, 6], cin: 7, hidden: 21, cout: 9, noBias: true }),
]);
