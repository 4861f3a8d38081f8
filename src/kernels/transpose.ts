import source from '../../shaders/transpose.wgsl?raw';
import type { Transpose } from '../graph/ops.ts';
import { elementwise, elementwiseProgram } from './elementwise.ts';
import { ceilDiv, defineKernel } from './kernel.ts';

export const transpose = defineKernel<Transpose>({
  name: 'transpose',
  op: 'transpose',
  accepts: () => true,
  program({ permutation }, { inputs: [input], output }) {
    const [, h, w, c] = input!;
    // How far a step along each axis of the output goes in the input: in pixels, and in channels.
    const [pixel_n, pixel_y, pixel_x, pixel_c] = permutation.map((axis) => [h * w, w, 1, 0][axis]!);
    const [channel_n, channel_y, channel_x, channel_c] = permutation.map((axis) => Number(axis === 3));
    return elementwiseProgram(elementwise(output), {
      file: 'transpose.wgsl',
      source,
      shape: {
        width: output[2],
        channels: output[3],
        src_channels4: ceilDiv(c, 4),
        pixel_n: pixel_n!,
        pixel_y: pixel_y!,
        pixel_x: pixel_x!,
        pixel_c: pixel_c!,
        channel_n: channel_n!,
        channel_y: channel_y!,
        channel_x: channel_x!,
        channel_c: channel_c!,
      },
    });
  },
  constants: () => [],
});
