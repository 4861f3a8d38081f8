import source from '../../shaders/fully-connected.wgsl?raw';
import type { FullyConnected } from '../graph/ops.ts';
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

const COLUMNS = 8;
const SLICES = 8;

export const fullyConnected = defineKernel<FullyConnected>({
  name: 'fully-connected',
  op: 'fully-connected',
  accepts: () => true,
  program(node, { inputs: [input], output }) {
    const outputs4 = ceilDiv(node.outFeatures, 4);
    return {
      file: 'fully-connected.wgsl',
      source,
      constants: {},
      overrides: { COLUMNS, SLICES, ...activationOverride(node.activation) },
      shape: { inputs4: input![1] * input![2] * ceilDiv(input![3], 4), outputs4 },
      bindings: [shapeBinding, inputBinding(0), constantBinding(0), constantBinding(1), outputBinding],
      workgroups: [ceilDiv(outputs4, COLUMNS), output[0], 1],
    };
  },
  constants({ weights, bias, outFeatures }, { inputs: [input] }) {
    const [, height, width, channels] = input!;
    const outputs = 4 * ceilDiv(outFeatures, 4);
    return [
      weightsConstant(height * width * 4 * ceilDiv(channels, 4) * outputs, () => {
        const rows = packRows(weights, height * width * channels, outFeatures);
        return packRows(rows, height * width, channels * outputs, 4 * ceilDiv(channels, 4) * outputs);
      }),
      channelConstant(bias, outputs),
    ];
  },
});
