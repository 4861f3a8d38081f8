import type { Activation, BatchNorm, Conv2d, FullyConnected } from '../graph/ops.ts';
import { Random } from './random.ts';

/** Where the origin of a family pads: TensorFlow's SAME, or PyTorch's (k − 1) / 2 on every side. */
export type PaddingRule = 'same' | 'symmetric';

/** What an architecture's table says of a convolution. */
export interface ConvolutionSpec {
  readonly kernel: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly groups: number;
  readonly bias: boolean;
  readonly activation: Activation;
}

/** The weights of a network, layer by layer, in the layouts of the graph's operations. */
export interface WeightSource {
  /** In place of the rule of the family's origin. */
  readonly padding?: PaddingRule;
  /** Of the batch-norms, in place of that of the family's origin. */
  readonly epsilon?: number;
  /** `outChannels` may differ from the table's; `bias` is null unless the table has one. */
  convolution(name: string, spec: ConvolutionSpec): Pick<Conv2d, 'weights' | 'bias' | 'outChannels'>;
  /** `convolution`: the name of the one before. */
  batchNorm(convolution: string, channels: number): Pick<BatchNorm, 'scale' | 'shift' | 'mean' | 'variance'>;
  fullyConnected(
    name: string,
    features: number,
    outFeatures: number,
  ): Pick<FullyConnected, 'weights' | 'bias' | 'outFeatures'>;
}

/**
 * Random weights with a variance that keeps that of the activations (He et al. 2015, "Delving Deep into Rectifiers",
 * section 2.2); batch-norm statistics are those of the convolution's own output, with some spread. A convolution without
 * activation has half of it, so that sums over residual connections stay in range.
 */
export function randomWeights(seed: number): WeightSource {
  const random = new Random(seed);
  return {
    convolution(_name, { kernel, inChannels, outChannels, groups, bias, activation }) {
      const taps = kernel * kernel * (inChannels / groups);
      const deviation = Math.sqrt((activation === 'none' ? 0.5 : 2) / taps);
      return {
        weights: random.normal(taps * outChannels, 0, deviation),
        bias: bias ? random.normal(outChannels, 0, 0.1) : null,
        outChannels,
      };
    },
    batchNorm(_convolution, channels) {
      const variance = random.normal(channels, 0, 0.2).map((value) => Math.exp(value));
      return {
        scale: random.normal(channels, 1, 0.1),
        shift: random.normal(channels, 0, 0.1),
        mean: random.normal(channels, 0, 0.1),
        variance,
      };
    },
    fullyConnected(_name, features, outFeatures) {
      return {
        weights: random.normal(features * outFeatures, 0, Math.sqrt(1 / features)),
        bias: random.normal(outFeatures, 0, 0.1),
        outFeatures,
      };
    },
  };
}
