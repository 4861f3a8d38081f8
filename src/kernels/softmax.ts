import source from '../../shaders/softmax.wgsl?raw';
import type { Shape, Softmax } from '../graph/ops.ts';
import { ceilDiv, defineKernel, inputBinding, outputBinding, type Program, shapeBinding } from './kernel.ts';

export const softmax = defineKernel<Softmax>({
  name: 'softmax',
  op: 'softmax',
  accepts: () => true,
  program: (_node, { output }) => alongChannels('softmax.wgsl', source, output),
  constants: () => [],
});

/** One workgroup a pixel, in rows of at most as many as WebGPU allows. */
export function alongChannels(file: string, source: string, output: Shape, own: Program['shape'] = {}): Program {
  const pixels = output[0] * output[1] * output[2];
  const across = Math.min(pixels, 65535);
  return {
    file,
    source,
    constants: {},
    overrides: { WORKGROUP_X: 64 },
    shape: { pixels, across, channels: output[3], channels4: ceilDiv(output[3], 4), ...own },
    bindings: [shapeBinding, inputBinding(0), outputBinding],
    workgroups: [across, ceilDiv(pixels, across), 1],
  };
}
