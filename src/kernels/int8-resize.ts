import source from '../../shaders/int8-resize.wgsl?raw';
import type { IntegerResize } from '../graph/integers.ts';
import { defineInteger, wordsConstant } from './int8.ts';
import { ceilDiv, channelsByPixels, constantBinding, inputBinding, outputBinding, shapeBinding } from './kernel.ts';
import { planes } from './window.ts';

type Corners = IntegerResize['corners'];

/** Where output `o` of `output` reads among `input` places: two of them, and the weight of the second in 1024ths. */
function bilinear(o: number, input: number, output: number, corners: Corners): readonly [number, number, number] {
  const aligned = corners === 'align' && output > 1;
  const [over, under] = aligned ? [input - 1, output - 1] : [input, output];
  const step = Math.floor((1024 * over + Math.floor(under / 2)) / under);
  const at = o * step + (corners === 'half-pixel' ? Math.floor(step / 2) - 512 : 0);
  const first = Math.max(0, at >> 10);
  return [first, Math.min((at + 1023) >> 10, input - 1), at - 1024 * first];
}

/** In float32, as runtimes compute it. */
function nearest(o: number, input: number, output: number, corners: Corners): readonly [number, number, number] {
  const step = Math.fround(corners === 'align' && output > 1 ? (input - 1) / (output - 1) : input / output);
  const at = Math.fround((corners === 'half-pixel' ? o + 0.5 : o) * step);
  const place = Math.min(Math.max(Math.floor(corners === 'align' ? at + 0.5 : at), 0), input - 1);
  return [place, place, 0];
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
        const words = new Int32Array(4 * (output[1] + output[2]));
        for (let y = 0; y < output[1]; y++) words.set(places(y, input![1], output[1], corners), 4 * y);
        for (let x = 0; x < output[2]; x++) words.set(places(x, input![2], output[2], corners), 4 * (output[1] + x));
        return new Uint32Array(words.buffer);
      }),
    ];
  },
});
