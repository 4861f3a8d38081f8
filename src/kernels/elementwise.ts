import type { Activation, Shape } from '../graph/ops.ts';
import {
  activationOverride,
  ceilDiv,
  channelsByPixels,
  inputBinding,
  type NodeShapes,
  outputBinding,
  type Program,
  shapeBinding,
} from './kernel.ts';

/** Workgroups, their size and the extent for shaders in which one invocation computes four channels of one pixel. */
export function elementwise(output: Shape, pixels = output[1] * output[2], images = output[0]) {
  const channels4 = ceilDiv(output[3], 4);
  const workgroup = channelsByPixels(channels4);
  return {
    extent: { pixels, channels4 },
    overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y },
    workgroups: [ceilDiv(channels4, workgroup.x), ceilDiv(pixels, workgroup.y), images] as const,
  };
}

/** dst = activate(a ∘ b): add and multiply, where b may be one pixel for all others or one image for all others. */
export function binaryProgram(file: string, source: string, activation: Activation, shapes: NodeShapes): Program {
  const other = shapes.inputs[1]!;
  const { extent, overrides, workgroups } = elementwise(shapes.output);
  const pixels = other[1] * other[2];
  const broadcast = pixels === 1 && extent.pixels > 1;
  return {
    file,
    source,
    constants: {},
    overrides: { ...overrides, ...activationOverride(activation) },
    shape: {
      ...extent,
      b_image_stride: other[0] === 1 ? 0 : pixels * extent.channels4,
      b_pixel_stride: broadcast ? 0 : extent.channels4,
    },
    bindings: [shapeBinding, inputBinding(0), inputBinding(1), outputBinding],
    workgroups,
  };
}
