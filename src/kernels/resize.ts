import outputPixel from '../../shaders/fragments/output-pixel.wgsl?raw';
import source from '../../shaders/resize.wgsl?raw';
import type { Resize } from '../graph/ops.ts';
import { ceilDiv, channelsByPixels, defineKernel, inputBinding, outputBinding, shapeBinding } from './kernel.ts';
import { planes } from './window.ts';

/** Bilinear: the source coordinate of output o along one axis is o · step + start. */
function bilinear(corners: Resize['corners'], input: number, output: number) {
  if (corners === 'align') return { step: output > 1 ? (input - 1) / (output - 1) : 0, start: 0 };
  const step = input / output;
  return { step, start: corners === 'asymmetric' ? 0 : step / 2 - 0.5 };
}

/** Nearest: the source pixel of output o along one axis is ⌊(o · times + plus) / over⌋. */
function nearest(corners: Resize['corners'], input: number, output: number) {
  if (corners === 'align') {
    return output > 1
      ? { times: 2 * (input - 1), plus: output - 1, over: 2 * (output - 1) }
      : { times: 0, plus: 0, over: 1 };
  }
  if (corners === 'asymmetric') return { times: input, plus: 0, over: output };
  return { times: 2 * input, plus: input, over: 2 * output };
}

export const resize = defineKernel<Resize>({
  name: 'resize',
  op: 'resize',
  accepts: () => true,
  program(node, { inputs: [input], output }) {
    const channels4 = ceilDiv(output[3], 4);
    const workgroup = channelsByPixels(channels4);
    const y = { ...bilinear(node.corners, input![1], output[1]), ...nearest(node.corners, input![1], output[1]) };
    const x = { ...bilinear(node.corners, input![2], output[2]), ...nearest(node.corners, input![2], output[2]) };
    return {
      file: 'resize.wgsl',
      source,
      fragments: { 'output-pixel': outputPixel },
      constants: { NEAREST: node.mode === 'nearest' },
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y },
      shape: {
        ...planes(input!, output),
        channels4,
        step_y: y.step,
        step_x: x.step,
        start_y: y.start,
        start_x: x.start,
        times_y: y.times,
        times_x: x.times,
        plus_y: y.plus,
        plus_x: x.plus,
        over_y: y.over,
        over_x: x.over,
      },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups: [ceilDiv(channels4, workgroup.x), ceilDiv(output[2], workgroup.y), output[1] * output[0]],
    };
  },
  constants: () => [],
});
