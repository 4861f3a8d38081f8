import type { Graph } from '../graph/graph.ts';
import { type ArchitectureOptions, divisibleBy8, NetworkBuilder } from './builder.ts';

/** A plain convolution with batch-norm and relu. */
type ConvRow = readonly ['conv', kernel: number, stride: number, channels: number];

/** A fused inverted bottleneck: a k×k convolution that expands, and a projection. */
type FusedRow = readonly ['fused', kernel: number, stride: number, expansion: number, channels: number];

/**
 * A universal inverted bottleneck (Qin et al. 2024, "MobileNetV4", section 3.1): starting depthwise (0: none), expand,
 * middle depthwise (0: none), project. The stride sits on the middle depthwise, else on the starting one.
 */
type UniversalRow = readonly [
  'universal',
  start: number,
  middle: number,
  stride: number,
  expansion: number,
  channels: number,
];

/** Qin et al. 2024, table 13 (MNv4-Conv-S). */
const small: readonly (ConvRow | FusedRow | UniversalRow)[] = [
  ['conv', 3, 2, 32],
  ['conv', 1, 1, 32],
  ['conv', 3, 2, 96],
  ['conv', 1, 1, 64],
  ['universal', 5, 5, 2, 3, 96],
  ['universal', 0, 3, 1, 2, 96],
  ['universal', 0, 3, 1, 2, 96],
  ['universal', 0, 3, 1, 2, 96],
  ['universal', 0, 3, 1, 2, 96],
  ['universal', 3, 0, 1, 4, 96],
  ['universal', 3, 3, 2, 6, 128],
  ['universal', 5, 5, 1, 4, 128],
  ['universal', 0, 5, 1, 4, 128],
  ['universal', 0, 5, 1, 3, 128],
  ['universal', 0, 3, 1, 4, 128],
  ['universal', 0, 3, 1, 4, 128],
  ['conv', 1, 1, 960],
];

/** Qin et al. 2024, table 14 (MNv4-Conv-M). */
const medium: readonly (ConvRow | FusedRow | UniversalRow)[] = [
  ['fused', 3, 2, 4, 48],
  ['universal', 3, 5, 2, 4, 80],
  ['universal', 3, 3, 1, 2, 80],
  ['universal', 3, 5, 2, 6, 160],
  ['universal', 3, 3, 1, 4, 160],
  ['universal', 3, 3, 1, 4, 160],
  ['universal', 3, 5, 1, 4, 160],
  ['universal', 3, 3, 1, 4, 160],
  ['universal', 3, 0, 1, 4, 160],
  ['universal', 0, 0, 1, 2, 160],
  ['universal', 3, 0, 1, 4, 160],
  ['universal', 5, 5, 2, 6, 256],
  ['universal', 5, 5, 1, 4, 256],
  ['universal', 3, 5, 1, 4, 256],
  ['universal', 3, 5, 1, 4, 256],
  ['universal', 0, 0, 1, 4, 256],
  ['universal', 3, 0, 1, 4, 256],
  ['universal', 3, 5, 1, 2, 256],
  ['universal', 5, 5, 1, 4, 256],
  ['universal', 0, 0, 1, 4, 256],
  ['universal', 0, 0, 1, 4, 256],
  ['universal', 5, 0, 1, 2, 256],
  ['conv', 1, 1, 960],
];

/** timm's mobilenetv4_conv_large (Qin et al. 2024, MNv4-Conv-L). */
const large: readonly (ConvRow | FusedRow | UniversalRow)[] = [
  ['fused', 3, 2, 4, 48],
  ['universal', 3, 5, 2, 4, 96],
  ['universal', 3, 3, 1, 4, 96],
  ['universal', 3, 5, 2, 4, 192],
  ...repeated(3, ['universal', 3, 3, 1, 4, 192]),
  ['universal', 3, 5, 1, 4, 192],
  ...repeated(5, ['universal', 5, 3, 1, 4, 192]),
  ['universal', 3, 0, 1, 4, 192],
  ['universal', 5, 5, 2, 4, 512],
  ...repeated(3, ['universal', 5, 5, 1, 4, 512]),
  ['universal', 5, 0, 1, 4, 512],
  ['universal', 5, 3, 1, 4, 512],
  ...repeated(2, ['universal', 5, 0, 1, 4, 512]),
  ['universal', 5, 3, 1, 4, 512],
  ['universal', 5, 5, 1, 4, 512],
  ...repeated(3, ['universal', 5, 0, 1, 4, 512]),
  ['conv', 1, 1, 960],
];

function repeated(times: number, row: UniversalRow): UniversalRow[] {
  return new Array<UniversalRow>(times).fill(row);
}

const variants = {
  small: { rows: small, stem: 32 },
  medium: { rows: medium, stem: 32 },
  large: { rows: large, stem: 24 },
};

export type V4Size = keyof typeof variants;

/**
 * Padding and batch-norm epsilon (10⁻⁵) as in timm: symmetric. The starting depthwise and the projection have no
 * activation; everything else relu. After the pool a 1×1 convolution to 1280 with batch-norm and relu. The stem keeps
 * its channels where α < 1, the head 1280 whatever α.
 */
export function mobileNetV4(
  name: string,
  variant: V4Size,
  alpha: number,
  size: number,
  options: ArchitectureOptions,
): Graph {
  const width = (channels: number) => divisibleBy8(channels * alpha);
  const builder = new NetworkBuilder(name, size, options, 'symmetric', 1e-5);
  const { rows, stem } = variants[variant];
  builder.conv('stem', alpha < 1 ? stem : width(stem), { kernel: 3, stride: 2, activation: 'relu' });
  rows.forEach((row, i) => {
    const label = `block${i + 1}`;
    const source = builder.current;
    const inChannels = builder.channels;
    if (row[0] === 'conv') {
      const [, kernel, stride, channels] = row;
      builder.conv(label, width(channels), { kernel, stride, activation: 'relu' });
      return;
    }
    const channels = width(row.at(-1) as number);
    let stride: number;
    if (row[0] === 'fused') {
      const [, kernel, , expansion] = row;
      stride = row[2];
      builder.conv(`${label}/expand`, divisibleBy8(inChannels * expansion), { kernel, stride, activation: 'relu' });
    } else {
      const [, start, middle, , expansion] = row;
      stride = row[3];
      if (start > 0) builder.depthwise(`${label}/start`, { kernel: start, stride: middle > 0 ? 1 : stride });
      builder.conv(`${label}/expand`, divisibleBy8(inChannels * expansion), { activation: 'relu' });
      if (middle > 0) builder.depthwise(`${label}/depthwise`, { kernel: middle, stride, activation: 'relu' });
    }
    builder.conv(`${label}/project`, channels);
    if (stride === 1 && inChannels === builder.channels) builder.add(`${label}/add`, source);
  });
  builder.globalAveragePool('pool').conv('head', 1280, { activation: 'relu' });
  return builder.fullyConnected('classifier', options.classes).build();
}
