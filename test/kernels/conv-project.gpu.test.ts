import type { Activation, Pair, Shape } from '../../src/graph/ops.ts';
import { convProjects } from '../../src/kernels/conv-project.ts';
import type { KernelCase } from './case.ts';
import { type ConvSpec, convCase } from './conv-cases.ts';
import { describeVariants } from './describe-kernel.ts';

interface ProjectSpec {
  readonly size: Pair;
  readonly cin: number;
  readonly hidden: number;
  readonly cout: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly padding?: ConvSpec['padding'];
  /** The kernel belongs to a depthwise convolution before a pointwise one. */
  readonly starts?: boolean;
  readonly activation?: Activation;
  readonly residual?: boolean;
  readonly batch?: number;
}

function project(spec: ProjectSpec): KernelCase {
  const { size, cin, hidden, cout, kernel = 3, stride = 1, activation = 'relu', batch = 1, starts = false } = spec;
  const side = (kernel - 1) / 2;
  const window = {
    size,
    cin,
    kernel: [kernel, kernel] as Pair,
    stride: [stride, stride] as Pair,
    padding: spec.padding ?? ([side, side, side, side] as const),
    batch,
  };
  const first = starts
    ? [convCase({ ...window, groups: cin }), convCase({ size, cin, cout: hidden, activation, batch })]
    : [convCase({ ...window, cout: hidden, activation })];
  const parts = [...first, convCase({ size, cin: hidden, cout, batch })];
  const input: Shape = [batch, size[0], size[1], cin];
  return {
    title: `${parts.map(({ title }) => title).join(' | ')}${spec.residual ? ', residual' : ''}`,
    node: { op: 'fused', parts: parts.map(({ node }) => node) as never },
    inputs: spec.residual ? [input, input] : [input],
  };
}

describeVariants(convProjects, [
  project({ size: [8, 8], cin: 8, hidden: 16, cout: 16 }),
  project({ size: [28, 28], cin: 32, hidden: 96, cout: 64, stride: 2 }),
  project({ size: [28, 29], cin: 12, hidden: 33, cout: 20, stride: 2, padding: [0, 0, 1, 1] }),
  project({ size: [9, 7], cin: 5, hidden: 30, cout: 5, kernel: 5, residual: true }),
  project({ size: [7, 6], cin: 3, hidden: 7, cout: 9, batch: 3, activation: 'hard-swish' }),
  project({ size: [5, 5], cin: 3, hidden: 8, cout: 300 }),
  project({ size: [1, 1], cin: 8, hidden: 16, cout: 8 }),
  project({ size: [14, 14], cin: 96, hidden: 384, cout: 96, starts: true, residual: true }),
  project({ size: [9, 7], cin: 6, hidden: 30, cout: 6, starts: true, kernel: 5, residual: true }),
  project({ size: [13, 12], cin: 7, hidden: 21, cout: 10, starts: true, stride: 2, padding: [0, 0, 1, 1] }),
  project({ size: [5, 6], cin: 9, hidden: 40, cout: 17, starts: true, batch: 2, activation: 'relu6' }),
]);
