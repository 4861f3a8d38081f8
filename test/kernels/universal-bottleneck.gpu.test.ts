import type { Activation, Pair, Shape } from '../../src/graph/ops.ts';
import { universalBottlenecks } from '../../src/kernels/universal-bottleneck.ts';
import type { KernelCase } from './case.ts';
import { type ConvSpec, convCase } from './conv-cases.ts';
import { describeVariants } from './describe-kernel.ts';

interface BottleneckSpec {
  readonly size: Pair;
  readonly cin: number;
  readonly hidden: number;
  readonly cout: number;
  /** Of the starting depthwise convolution, and of the one in the middle. */
  readonly start: Partial<ConvSpec> & { readonly side?: number };
  readonly middle: Partial<ConvSpec> & { readonly side?: number };
  readonly activation?: Activation;
  readonly residual?: boolean;
  readonly batch?: number;
  readonly noBias?: boolean;
}

function bottleneck(spec: BottleneckSpec): KernelCase {
  const { size, cin, hidden, cout, activation = 'relu', batch = 1 } = spec;
  const depthwise = (channels: number, { side = 3, ...own }: BottleneckSpec['start']) => {
    const half = (side - 1) / 2;
    const padding = [half, half, half, half] as const;
    return convCase({ size, cin: channels, groups: channels, kernel: [side, side], padding, batch, ...own });
  };
  const parts = [
    depthwise(cin, spec.start),
    convCase({ size, cin, cout: hidden, activation, batch }),
    depthwise(hidden, { activation, ...spec.middle }),
    convCase({ size, cin: hidden, cout, batch }),
  ];
  const input: Shape = [batch, size[0], size[1], cin];
  return {
    title: `${parts.map(({ title }) => title).join(' | ')}${spec.residual ? ', residual' : ''}`,
    node: { op: 'fused', parts: parts.map(({ node }) => node) as never },
    inputs: spec.residual ? [input, input] : [input],
    ...(spec.noBias ? { noBias: true } : {}),
  };
}

describeVariants(universalBottlenecks, [
  bottleneck({ size: [9, 7], cin: 5, hidden: 18, cout: 5, start: { side: 5 }, middle: {}, residual: true }),
  bottleneck({ size: [8, 8], cin: 8, hidden: 16, cout: 16, start: {}, middle: {} }),
  // The starting convolution filters its channels in several parts: V4's own blocks.
  bottleneck({
    size: [14, 14],
    cin: 64,
    hidden: 192,
    cout: 96,
    start: { side: 5 },
    middle: { side: 5, stride: [2, 2] },
  }),
  bottleneck({
    size: [7, 7],
    cin: 128,
    hidden: 512,
    cout: 128,
    start: { side: 5 },
    middle: { side: 5 },
    residual: true,
  }),
  bottleneck({ size: [14, 14], cin: 96, hidden: 576, cout: 128, start: {}, middle: { stride: [2, 2] } }),
  // Parts and chunks that are not filled: 37 and 11 vec4.
  bottleneck({ size: [6, 7], cin: 147, hidden: 43, cout: 9, start: {}, middle: { side: 5 }, batch: 2 }),
  bottleneck({
    size: [13, 12],
    cin: 6,
    hidden: 33,
    cout: 10,
    start: { stride: [2, 1], padding: [0, 1, 1, 2], activation: 'relu6' },
    middle: { stride: [2, 2], padding: [0, 0, 1, 1] },
    activation: 'hard-swish',
  }),
  bottleneck({
    size: [11, 10],
    cin: 7,
    hidden: 21,
    cout: 7,
    start: { dilation: [2, 2], padding: [2, 2, 2, 2] },
    middle: { dilation: [1, 2], padding: [1, 2, 1, 2] },
    residual: true,
  }),
  bottleneck({
    size: [5, 6],
    cin: 9,
    hidden: 40,
    cout: 300,
    start: { activation: 'hard-swish' },
    middle: { activation: 'none' },
    batch: 3,
  }),
  bottleneck({
    size: [6, 6],
    cin: 9,
    hidden: 10,
    cout: 9,
    start: {},
    middle: { side: 5 },
    noBias: true,
    residual: true,
    batch: 2,
    activation: 'sigmoid',
  }),
  bottleneck({ size: [1, 1], cin: 8, hidden: 16, cout: 8, start: {}, middle: {} }),
]);
