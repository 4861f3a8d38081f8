import type { Activation, Shape } from '../graph/ops.ts';
import {
  activationOverride,
  type Binding,
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

/** What tells one such shader from another. */
interface OwnParts extends Pick<Program, 'file' | 'source'>, Partial<Pick<Program, 'overrides' | 'shape'>> {
  /** What it reads between its shape and its output; one input unless given. */
  readonly reads?: readonly Binding[];
}

/** A program of `elementwise`: its overrides and extent come before the shader's own. */
export function elementwiseProgram(
  { extent, overrides, workgroups }: ReturnType<typeof elementwise>,
  { file, source, reads = [inputBinding(0)], ...own }: OwnParts,
): Program {
  return {
    file,
    source,
    constants: {},
    overrides: { ...overrides, ...own.overrides },
    shape: { ...extent, ...own.shape },
    bindings: [shapeBinding, ...reads, outputBinding],
    workgroups,
  };
}

/** Fields of a `struct Shape` by which the fragment `binary` finds the second tensor: one pixel or image for all others, or all. */
export function binaryShape({ inputs, output }: NodeShapes) {
  const other = inputs[1]!;
  const channels4 = ceilDiv(output[3], 4);
  const pixels = other[1] * other[2];
  return {
    b_image_stride: other[0] === 1 ? 0 : pixels * channels4,
    b_pixel_stride: pixels === 1 && output[1] * output[2] > 1 ? 0 : channels4,
  };
}

/** dst = activate(a ∘ b): add and multiply, where b may be one pixel for all others or one image for all others. */
export const binaryProgram = (file: string, source: string, activation: Activation, shapes: NodeShapes): Program =>
  elementwiseProgram(elementwise(shapes.output), {
    file,
    source,
    overrides: activationOverride(activation),
    shape: binaryShape(shapes),
    reads: [inputBinding(0), inputBinding(1)],
  });
