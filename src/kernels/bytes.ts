import weightsFragment from '../../shaders/fragments/byte-weights.wgsl?raw';
import { type ByteLayer, bytesOf } from '../graph/byte-weights.ts';
import { hasByteWeights } from '../graph/layers.ts';
import { convAnyVariants, convDirect, directVariants } from './conv-direct.ts';
import { convPointwise, pointwiseVariants } from './conv-pointwise.ts';
import { convStem, stemVariants } from './conv-stem.ts';
import { fullyConnected, fullyConnectedVariants, matrixVectorConv, matrixVectorVariants } from './fully-connected.ts';
import { defineKernel, type Kernel } from './kernel.ts';
import { biasAndScales, once, scaledFragments } from './scaled.ts';

/** Put before the name of the kernel that reads the same weights as floats. */
const BYTES = 'byte/';

/** The same kernel, with weights as bytes: it multiplies by whole numbers, and a sum by its output's scale. */
const inBytes = (kernel: Kernel): Kernel =>
  defineKernel<ByteLayer>({
    ...(kernel as unknown as Kernel<ByteLayer>),
    name: BYTES + kernel.name,
    accepts: (node, shapes) => hasByteWeights(node) && kernel.accepts(node, shapes),
    program(node, shapes) {
      const program = kernel.program(node, shapes);
      return {
        ...program,
        fragments: { ...program.fragments, ...scaledFragments, weights: weightsFragment },
        constants: { ...program.constants, SCALED: true },
      };
    },
    constants(node, shapes) {
      const [weights, bias] = kernel.constants(node, shapes);
      const stored = once(() => bytesOf(node));
      const pack = () => {
        const whole = { ...node, weights: Float32Array.from(stored().values) };
        return Int8Array.from(kernel.constants(whole, shapes)[0]!.pack());
      };
      return [
        { ...weights!, precision: 'bytes', pack },
        biasAndScales(node.bias, bias!.elements, () => stored().scales),
      ];
    },
  });

/** Uniform buffers hold weights as floats. */
const isUniform = ({ name }: Kernel): boolean => name.includes('uniform');

/** Those of layers whose weights are bytes, the usual ones first. */
export const forms: readonly Kernel[] = [
  ...[matrixVectorConv, convPointwise, convStem, convDirect, fullyConnected],
  ...matrixVectorVariants,
  ...pointwiseVariants.filter((kernel) => !isUniform(kernel)),
  ...stemVariants,
  ...directVariants,
  ...fullyConnectedVariants,
].map(inBytes);

export const starting: readonly Kernel[] = convAnyVariants.map(inBytes);
