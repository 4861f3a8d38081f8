import source from '../../shaders/tensor-layout.wgsl?raw';
import type { Shape } from '../graph/ops.ts';
import { ceilDiv, inputBinding, MOST_WORKGROUPS, outputBinding, type Program, shapeBinding } from './kernel.ts';

const WORKGROUP = 64;

/**
 * Moves a tensor between a caller's buffer, dense float32 in either order of axes, and the plan's: channels in fours, or
 * `dense`; into the plan where `take` says so. It stands beside a plan, not in it.
 */
export function tensorLayoutProgram(shape: Shape, channelsFirst: boolean, dense: boolean, take: boolean): Program {
  const [batch, height, width, channels] = shape;
  const pixels = height * width;
  const channels4 = ceilDiv(channels, 4);
  const places = batch * pixels * channels4;
  const groups = Math.min(MOST_WORKGROUPS, ceilDiv(places, WORKGROUP));
  return {
    file: 'tensor-layout.wgsl',
    source,
    constants: { TAKE: take, DENSE: dense },
    overrides: {},
    shape: {
      ...{ places, pixels, channels, channels4 },
      across: groups * WORKGROUP,
      image_step: pixels * channels,
      pixel_step: channelsFirst ? 1 : channels,
      channel_step: channelsFirst ? pixels : 1,
    },
    bindings: [shapeBinding, inputBinding(0), outputBinding],
    workgroups: [groups, ceilDiv(places, groups * WORKGROUP), 1],
  };
}
