import type { Activation, Pair, Shape } from '../../src/graph/ops.ts';
import { expandDepthwises, tileOf } from '../../src/kernels/expand-depthwise.ts';
import type { KernelCase } from './case.ts';
import { convCase } from './conv-cases.ts';
import { describeVariants } from './describe-kernel.ts';

interface HalfSpec {
  readonly size: Pair;
  readonly cin: number;
  /** 0: the depthwise convolution reads the input. */
  readonly hidden: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly padding?: readonly [number, number, number, number];
  readonly activation?: Activation;
  readonly batch?: number;
  readonly noBias?: boolean;
}

function half({
  size,
  cin,
  hidden,
  kernel = 3,
  stride = 1,
  activation = 'relu',
  batch = 1,
  ...spec
}: HalfSpec): KernelCase {
  const side = (kernel - 1) / 2;
  const wide = hidden || cin;
  const depthwise = convCase({
    size,
    cin: wide,
    groups: wide,
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: spec.padding ?? [side, side, side, side],
    activation,
    batch,
  });
  const expand = hidden ? [convCase({ size, cin, cout: hidden, activation, batch })] : [];
  const output: Shape = [batch, Math.ceil(size[0] / stride), Math.ceil(size[1] / stride), wide];
  const tile = tileOf({ ...depthwise.node, name: '', inputs: [], output: '' } as never, output);
  return {
    title: `${[...expand, depthwise].map(({ title }) => title).join(' | ')} | tiles ${tile.join('×')}`,
    node: {
      op: 'fused',
      parts: [...expand, depthwise].map(({ node }) => node).concat({ op: 'sum-tiles', tile } as never) as never,
    },
    inputs: [[batch, size[0], size[1], cin]],
    ...(spec.noBias ? { noBias: true } : {}),
  };
}

describeVariants(expandDepthwises, [
  half({ size: [8, 8], cin: 8, hidden: 0 }),
  half({ size: [9, 7], cin: 6, hidden: 0 }),
  half({ size: [56, 56], cin: 16, hidden: 0, stride: 2, padding: [0, 0, 1, 1] }),
  half({ size: [9, 7], cin: 5, hidden: 30 }),
  half({ size: [14, 14], cin: 24, hidden: 72, activation: 'hard-swish' }),
  half({ size: [15, 13], cin: 24, hidden: 72, kernel: 5, stride: 2, activation: 'hard-swish' }),
  half({ size: [28, 28], cin: 40, hidden: 120, kernel: 5, activation: 'relu6' }),
  half({ size: [7, 7], cin: 20, hidden: 130, kernel: 5, activation: 'hard-swish' }),
  half({ size: [14, 14], cin: 12, hidden: 50, kernel: 5, stride: 2, padding: [1, 1, 2, 2] }),
  half({ size: [10, 11], cin: 7, hidden: 20, batch: 3 }),
  half({ size: [8, 8], cin: 8, hidden: 16, noBias: true }),
  half({ size: [1, 1], cin: 4, hidden: 8 }),
]);
