import type { Activation, Conv2d, Padding, Pair, Shape } from '../../src/graph/ops.ts';
import { windowOutput } from '../../src/graph/shapes.ts';
import type { KernelCase } from './case.ts';

export interface ConvSpec {
  readonly size: Pair;
  readonly cin: number;
  readonly cout?: number;
  readonly kernel?: Pair;
  readonly stride?: Pair;
  readonly dilation?: Pair;
  /** top, left, bottom, right */
  readonly padding?: readonly [number, number, number, number];
  readonly groups?: number;
  readonly batch?: number;
  readonly activation?: Activation;
  readonly residual?: boolean;
  readonly noBias?: boolean;
}

/** A convolution case whose title says all of its parameters that are not the usual ones. */
export function convCase(spec: ConvSpec): KernelCase {
  const { size, cin, kernel = [1, 1], stride = [1, 1], dilation = [1, 1], groups = 1, batch = 1 } = spec;
  const { cout = cin, activation = 'none', residual = false, noBias = false } = spec;
  const [top, left, bottom, right] = spec.padding ?? [0, 0, 0, 0];
  const padding: Padding = { top, left, bottom, right };
  const node: Omit<Conv2d, 'name' | 'inputs' | 'output' | 'weights' | 'bias'> = {
    op: 'conv2d',
    kernel,
    stride,
    dilation,
    padding,
    groups,
    outChannels: cout,
    activation,
  };
  const input: Shape = [batch, size[0], size[1], cin];
  const output: Shape = [
    batch,
    windowOutput(size[0], kernel[0], stride[0], dilation[0], top + bottom),
    windowOutput(size[1], kernel[1], stride[1], dilation[1], left + right),
    cout,
  ];
  const parts = [
    `${size.join('×')}×${cin} → ${output.slice(1).join('×')}`,
    `k ${kernel.join('×')}`,
    stride.some((s) => s !== 1) && `s ${stride.join('×')}`,
    dilation.some((d) => d !== 1) && `d ${dilation.join('×')}`,
    [top, left, bottom, right].some(Boolean) && `pad ${[top, left, bottom, right]}`,
    groups !== 1 && `g ${groups}`,
    batch !== 1 && `batch ${batch}`,
    activation !== 'none' && activation,
    residual && 'residual',
    noBias && 'no bias',
  ];
  return {
    title: parts.filter(Boolean).join(', '),
    node,
    inputs: residual ? [input, output] : [input],
    ...(noBias ? { noBias } : {}),
  };
}

/** Channel counts below, at, above and far from multiples of four. */
export const channelCounts = [1, 3, 4, 5, 7, 8, 130] as const;

export const activations: readonly Activation[] = ['relu', 'relu6', 'hard-swish', 'hard-sigmoid', 'sigmoid'];
