import type { Graph } from '../graph/graph.ts';
import { type ArchitectureOptions, divisibleBy8, NetworkBuilder } from './builder.ts';

/** Expansion, output channels, repeats and first stride (Sandler et al. 2018, table 2). */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * SAME padding, ReLU6, batch-norm epsilon 10⁻³; the head keeps 1280 channels where α < 1. `depths`: blocks of each of the
 * seven stages, in place of the table's repeats.
 */
export function mobileNetV2(
  name: string,
  alpha: number,
  size: number,
  options: ArchitectureOptions,
  depths?: readonly number[],
): Graph {
  const width = (channels: number) => divisibleBy8(channels * alpha);
  const builder = new NetworkBuilder(name, size, options, 'same', 1e-3);
  builder.conv('stem', width(32), { kernel: 3, stride: 2, activation: 'relu6' });
  let block = 0;
  for (const [stage, [expansion, channels, repeats, firstStride]] of stages.entries()) {
    for (let repeat = 0; repeat < (depths?.[stage] ?? repeats); repeat++) {
      const source = builder.current;
      const inChannels = builder.channels;
      const stride = repeat === 0 ? firstStride : 1;
      const label = `block${++block}`;
      if (expansion > 1) builder.conv(`${label}/expand`, inChannels * expansion, { activation: 'relu6' });
      builder.depthwise(`${label}/depthwise`, { stride, activation: 'relu6' });
      builder.conv(`${label}/project`, width(channels));
      if (stride === 1 && inChannels === builder.channels) builder.add(`${label}/add`, source);
    }
  }
  builder.conv('head', divisibleBy8(1280 * Math.max(1, alpha)), { activation: 'relu6' });
  return builder.globalAveragePool('pool').fullyConnected('classifier', options.classes).build();
}
