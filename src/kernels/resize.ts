import source from '../../shaders/resize.wgsl?raw';
import type { Resize } from '../graph/ops.ts';
import { ceilDiv, channelsByPixels, defineKernel, inputBinding, outputBinding, shapeBinding } from './kernel.ts';

/** Source coordinate of output o along one axis is o · step + start. */
function sampling(corners: Resize['corners'], nearest: boolean, input: number, output: number) {
  if (corners === 'align') {
    // Nearest rounds to the closer source pixel; the shader truncates.
    return { step: output > 1 ? (input - 1) / (output - 1) : 0, start: nearest ? 0.5 : 0 };
  }
  const step = input / output;
  if (corners === 'asymmetric') return { step, start: 0 };
  return { step, start: nearest ? step / 2 : step / 2 - 0.5 };
}

export const resize = defineKernel<Resize>({
  name: 'resize',
  op: 'resize',
  accepts: () => true,
  program(node, { inputs: [input], output }) {
    const channels4 = ceilDiv(output[3], 4);
    const workgroup = channelsByPixels(channels4);
    const nearest = node.mode === 'nearest';
    const y = sampling(node.corners, nearest, input![1], output[1]);
    const x = sampling(node.corners, nearest, input![2], output[2]);
    return {
      file: 'resize.wgsl',
      source,
      constants: { NEAREST: nearest },
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y },
      shape: {
        in_height: input![1],
        in_width: input![2],
        out_height: output[1],
        out_width: output[2],
        channels4,
        step_y: y.step,
        step_x: x.step,
        start_y: y.start,
        start_x: x.start,
      },
      bindings: [shapeBinding, inputBinding(0), outputBinding],
      workgroups: [ceilDiv(channels4, workgroup.x), ceilDiv(output[2], workgroup.y), output[1] * output[0]],
    };
  },
  constants: () => [],
});
