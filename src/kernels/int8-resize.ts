import source from '../../shaders/int8-resize.wgsl?raw';
import type { IntegerResize } from '../graph/integers.ts';
import { resizePlaces } from '../graph/resize-places.ts';
import { defineInteger, wordsConstant } from './int8.ts';
import { ceilDiv, channelsByPixels, constantBinding, inputBinding, outputBinding, shapeBinding } from './kernel.ts';
import { planes } from './window.ts';

type Corners = IntegerResize['corners'];

/** Two places, and the weight of the second in 2048ths. */
const bilinear = (input: number, output: number, corners: Corners): number[][] =>
  resizePlaces(input, output, corners).map(({ first, second, weight }) => [first, second, weight, 0]);

/** In float32, as runtimes compute it. */
function nearest(input: number, output: number, corners: Corners): number[][] {
  const step = Math.fround(corners === 'align' && output > 1 ? (input - 1) / (output - 1) : input / output);
  return Array.from({ length: output }, (_, o) => {
    const at = Math.fround((corners === 'half-pixel' ? o + 0.5 : o) * step);
    const place = Math.min(Math.max(Math.floor(corners === 'align' ? at + 0.5 : at), 0), input - 1);
    return [place, place, 0, 0];
  });
}

export const int8Resize = defineInteger(['resize'], {
  name: 'int8-resize',
  program({ mode }, { inputs: [input], output }) {
    const channels4 = ceilDiv(output[3], 4);
    const workgroup = channelsByPixels(channels4);
    return {
      file: 'int8-resize.wgsl',
      source,
      constants: { NEAREST: mode === 'nearest' },
      overrides: { WORKGROUP_X: workgroup.x, WORKGROUP_Y: workgroup.y },
      shape: { ...planes(input!, output), channels4 },
      bindings: [shapeBinding, inputBinding(0), constantBinding(0), outputBinding],
      workgroups: [ceilDiv(channels4, workgroup.x), ceilDiv(output[2], workgroup.y), output[1] * output[0]],
    };
  },
  constants({ mode, corners }, { inputs: [input], output }) {
    const places = mode === 'nearest' ? nearest : bilinear;
    return [
      wordsConstant(4 * (output[1] + output[2]), () => {
        const all = [...places(input![1], output[1], corners), ...places(input![2], output[2], corners)];
        return Uint32Array.from(all.flat());
      }),
    ];
  },
});
