import source from '../../shaders/image-to-tensor.wgsl?raw';
import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import type { Pair, Shape } from '../graph/ops.ts';
import { checkRule, constant } from '../images/picture.ts';
import type { GpuPicture } from '../images/picture-source.ts';
import { resamplePlan } from '../images/resample.ts';
import { ceilDiv, inputBinding, outputBinding, type Program, shapeBinding } from './kernel.ts';

const WORKGROUP = 8;

/** What the pixels of a picture lie in. */
type PixelForm = 'buffer' | GpuPicture['form'];

/**
 * Turns a picture of `[height, width]` RGBA pixels into the input tensor `output`, `[1, height, width, channels]`, its
 * channels in fours or `dense`. It stands before a plan, not in it: a picture's size is known only when it comes. Throws `UsageError` where the rule
 * does not make such a tensor. `pitch`: pixels from one row of a buffer to the next, for pictures wider than one pixel.
 */
export function imageProgram(
  picture: Pair,
  rule: ImageRule,
  output: Shape,
  dense: boolean,
  form: PixelForm = 'buffer',
  pitch = picture[1],
): Program {
  checkRule(rule, output[3]);
  if (output[0] !== 1) throw new UsageError(`a picture is one image; the model takes ${output[0]} at once: use run()`);
  const size: Pair = [output[1], output[2]];
  const { vertical, horizontal, turn } = resamplePlan(picture, rule, size);
  // From one row of pixels to the next where rows are `pitch` apart.
  const step = (numbers: number) => (Math.abs(numbers) === picture[1] ? Math.sign(numbers) * pitch : numbers);
  return {
    file: 'image-to-tensor.wgsl',
    source,
    constants: {
      BICUBIC: rule.filter === 'bicubic',
      GREY: rule.channels === 'grey',
      BGR: rule.channels === 'bgr',
      DENSE: dense,
      EXTERNAL: form === 'external',
      TEXTURE: form !== 'buffer',
      WHOLE: form === 'bytes',
    },
    overrides: { WORKGROUP_X: WORKGROUP, WORKGROUP_Y: WORKGROUP },
    shape: {
      in_height: vertical.input,
      in_width: horizontal.input,
      out_height: size[0],
      out_width: size[1],
      origin: Math.floor(turn.origin / picture[1]) * pitch + (turn.origin % picture[1]),
      row: step(turn.row),
      column: step(turn.column),
      stride: picture[1],
      first_y: vertical.first,
      first_x: horizontal.first,
      length_y: vertical.length,
      length_x: horizontal.length,
      start_y: vertical.start,
      start_x: horizontal.start,
      step_y: vertical.step,
      step_x: horizontal.step,
      narrow_y: 1 / vertical.width,
      narrow_x: 1 / horizontal.width,
      support_y: vertical.support,
      support_x: horizontal.support,
      scale_0: constant(rule.scale, 0),
      scale_1: constant(rule.scale, Math.min(1, rule.scale.length - 1)),
      scale_2: constant(rule.scale, Math.min(2, rule.scale.length - 1)),
      offset_0: constant(rule.offset, 0),
      offset_1: constant(rule.offset, Math.min(1, rule.offset.length - 1)),
      offset_2: constant(rule.offset, Math.min(2, rule.offset.length - 1)),
    },
    bindings: [shapeBinding, inputBinding(0), outputBinding],
    workgroups: [ceilDiv(size[1], WORKGROUP), ceilDiv(size[0], WORKGROUP), 1],
  };
}
