import source from '../../shaders/affine.wgsl?raw';
import preluSource from '../../shaders/prelu.wgsl?raw';
import type { Affine, BatchNorm, Prelu } from '../graph/ops.ts';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import {
  ceilDiv,
  channelConstant,
  constantBinding,
  defineKernel,
  inputBinding,
  type NodeShapes,
  type PackedConstant,
  type Program,
} from './kernel.ts';

function program(_node: Affine | BatchNorm, { output }: NodeShapes): Program {
  const reads = [inputBinding(0), constantBinding(0), constantBinding(1)];
  return elementwiseProgram(elementwise(output), { file: 'affine.wgsl', source, reads });
}

const perChannel = (values: Float32Array, channels: number): PackedConstant =>
  channelConstant(values.length === 1 ? new Float32Array(channels).fill(values[0]!) : values, 4 * ceilDiv(channels, 4));

export const affine = defineKernel<Affine>({
  name: 'affine',
  op: 'affine',
  accepts: () => true,
  program,
  constants: ({ scale, shift }, { output }) => [perChannel(scale, output[3]), perChannel(shift, output[3])],
});

/** A batch-norm that stands alone, as scale / √(variance + epsilon) and shift − mean · that. */
export const batchNorm = defineKernel<BatchNorm>({
  name: 'affine',
  op: 'batch-norm',
  accepts: () => true,
  program,
  constants({ scale, shift, mean, variance, epsilon }, { output }) {
    const factor = scale.map((value, c) => value / Math.sqrt(variance[c]! + epsilon));
    const offset = shift.map((value, c) => value - (mean[c]! * scale[c]!) / Math.sqrt(variance[c]! + epsilon));
    return [perChannel(factor, output[3]), perChannel(offset, output[3])];
  },
});

export const prelu = defineKernel<Prelu>({
  name: 'prelu',
  op: 'prelu',
  accepts: () => true,
  program: (_node, { output }) =>
    elementwiseProgram(elementwise(output), {
      file: 'prelu.wgsl',
      source: preluSource,
      reads: [inputBinding(0), constantBinding(0)],
    }),
  constants: ({ slope }, { output }) => [perChannel(slope, output[3])],
});
