import type { Graph } from '../graph/graph.ts';
import { type ArchitectureOptions, NetworkBuilder } from './builder.ts';

/** Output channels and stride of the thirteen separable layers (Howard et al. 2017, table 1). */
const layers = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/** Widths are max(8, ⌊channels · α⌋); SAME padding, ReLU6, batch-norm epsilon 10⁻³ as in TensorFlow's slim. */
export function mobileNetV1(name: string, alpha: number, size: number, options: ArchitectureOptions): Graph {
  const width = (channels: number) => Math.max(8, Math.floor(channels * alpha));
  const builder = new NetworkBuilder(name, size, options, 'same', 1e-3);
  builder.conv('stem', width(32), { kernel: 3, stride: 2, activation: 'relu6' });
  layers.forEach(([channels, stride], i) => {
    builder.depthwise(`block${i + 1}/depthwise`, { stride, activation: 'relu6' });
    builder.conv(`block${i + 1}/pointwise`, width(channels), { activation: 'relu6' });
  });
  return builder.globalAveragePool('pool').fullyConnected('classifier', options.classes).build();
}
