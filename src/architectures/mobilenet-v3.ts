import type { Graph } from '../graph/graph.ts';
import type { Activation } from '../graph/ops.ts';
import { type ArchitectureOptions, divisibleBy8, NetworkBuilder } from './builder.ts';

/** Kernel, expanded channels, output channels, squeeze-and-excitation, hard-swish in place of relu, stride. */
type Row = readonly [
  kernel: number,
  expanded: number,
  channels: number,
  squeeze: boolean,
  hardSwish: boolean,
  stride: number,
];

/** Howard et al. 2019, table 1. */
const large: readonly Row[] = [
  [3, 16, 16, false, false, 1],
  [3, 64, 24, false, false, 2],
  [3, 72, 24, false, false, 1],
  [5, 72, 40, true, false, 2],
  [5, 120, 40, true, false, 1],
  [5, 120, 40, true, false, 1],
  [3, 240, 80, false, true, 2],
  [3, 200, 80, false, true, 1],
  [3, 184, 80, false, true, 1],
  [3, 184, 80, false, true, 1],
  [3, 480, 112, true, true, 1],
  [3, 672, 112, true, true, 1],
  [5, 672, 160, true, true, 2],
  [5, 960, 160, true, true, 1],
  [5, 960, 160, true, true, 1],
];

/** Howard et al. 2019, table 2. */
const small: readonly Row[] = [
  [3, 16, 16, true, false, 2],
  [3, 72, 24, false, false, 2],
  [3, 88, 24, false, false, 1],
  [5, 96, 40, true, true, 2],
  [5, 240, 40, true, true, 1],
  [5, 240, 40, true, true, 1],
  [5, 120, 48, true, true, 1],
  [5, 144, 48, true, true, 1],
  [5, 288, 96, true, true, 2],
  [5, 576, 96, true, true, 1],
  [5, 576, 96, true, true, 1],
];

export interface V3Variant {
  readonly size: 'small' | 'large';
  /** No squeeze-and-excitation, no hard-swish, 3×3 kernels only (TensorFlow's "minimalistic"). */
  readonly minimalistic: boolean;
}

/**
 * SAME padding, batch-norm epsilon 10⁻³ as in TensorFlow. The stem keeps 16 channels whatever α; the head convolution
 * after the pool has a bias and no batch-norm.
 */
export function mobileNetV3(
  name: string,
  { size: variant, minimalistic }: V3Variant,
  alpha: number,
  size: number,
  options: ArchitectureOptions,
): Graph {
  const width = (channels: number) => divisibleBy8(channels * alpha);
  const swish: Activation = minimalistic ? 'relu' : 'hard-swish';
  const rows = variant === 'large' ? large : small;
  const builder = new NetworkBuilder(name, size, options, 'same', 1e-3);
  builder.conv('stem', 16, { kernel: 3, stride: 2, activation: swish });
  rows.forEach(([kernel, expanded, channels, squeeze, hardSwish, stride], i) => {
    const source = builder.current;
    const inChannels = builder.channels;
    const activation = hardSwish ? swish : 'relu';
    const label = `block${i + 1}`;
    // The table's expansion is of its own input channels; α scales those.
    const base = i === 0 ? 16 : rows[i - 1]![2];
    const hidden = divisibleBy8((inChannels * expanded) / base);
    if (i > 0 || expanded !== 16) builder.conv(`${label}/expand`, hidden, { activation });
    builder.depthwise(`${label}/depthwise`, { kernel: minimalistic ? 3 : kernel, stride, activation });
    if (squeeze && !minimalistic) {
      builder.squeezeExcite(`${label}/squeeze-excite`, divisibleBy8(builder.channels / 4));
    }
    builder.conv(`${label}/project`, width(channels));
    if (stride === 1 && inChannels === builder.channels) builder.add(`${label}/add`, source);
  });
  builder.conv('last', divisibleBy8(builder.channels * 6), { activation: swish });
  const head = variant === 'large' ? 1280 : 1024;
  builder.globalAveragePool('pool');
  builder.conv('head', alpha > 1 ? divisibleBy8(head * alpha) : head, { bias: true, activation: swish });
  return builder.fullyConnected('classifier', options.classes).build();
}
