import source from '../../shaders/pool-fully-connected.wgsl?raw';
import { type Product, productOf } from '../graph/layers.ts';
import type { Fused } from '../graph/ops.ts';
import {
  activationOverride,
  ceilDiv,
  channelConstant,
  constantBinding,
  defineKernel,
  inputBinding,
  outputBinding,
  shapeBinding,
  weightsConstant,
} from './kernel.ts';
import { packRows } from './pack.ts';

const LANES = 64;

/**
 * Outputs of a workgroup, in fours: few of a squeeze, whose means cost little, so that several workgroups share it; more of a
 * classifier, as each takes all means for itself.
 */
const columnsOf = (outputs4: number): number => (outputs4 <= LANES ? 2 : 8);

function resolve({ parts }: Fused): Product | null {
  const [pool, product] = parts;
  return parts.length === 2 && pool?.op === 'global-average-pool' ? productOf(product) : null;
}

/** Global average pool and a fully connected layer, or a 1×1 convolution of what it pools. */
export const poolFullyConnected = defineKernel<Fused>({
  name: 'pool-fully-connected',
  op: 'fused',
  accepts: (node) => resolve(node) !== null,
  program(node, { inputs: [input] }) {
    const { outputs, activation } = resolve(node)!;
    const [batch, height, width, channels] = input!;
    const outputs4 = ceilDiv(outputs, 4);
    const columns = columnsOf(outputs4);
    return {
      file: 'pool-fully-connected.wgsl',
      source,
      constants: {},
      overrides: { COLUMNS: columns, SLICES: LANES / columns, ...activationOverride(activation) },
      shape: { pixels: height * width, inputs4: ceilDiv(channels, 4), outputs4 },
      bindings: [shapeBinding, inputBinding(0), constantBinding(0), constantBinding(1), outputBinding],
      workgroups: [ceilDiv(outputs4, columns), batch, 1],
    };
  },
  constants(node, { inputs: [input] }) {
    const { outputs, weights, bias } = resolve(node)!;
    const pitch = 4 * ceilDiv(outputs, 4);
    const rows = 4 * ceilDiv(input![3], 4);
    return [
      weightsConstant(rows * pitch, () => {
        // Rows past the last channel are zero.
        const packed = new Float32Array(rows * pitch);
        packed.set(packRows(weights, input![3], outputs));
        return packed;
      }),
      channelConstant(bias, pitch),
    ];
  },
});
