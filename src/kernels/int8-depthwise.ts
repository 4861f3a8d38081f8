import source from '../../shaders/int8-depthwise.wgsl?raw';
import type { Conv2d } from '../graph/ops.ts';
import { convDepthwise, depthwiseVariants } from './conv-depthwise.ts';
import { bytesConstant, channelsConstant, defineInteger, endsOf, geometryOf, wordOf } from './int8.ts';
import { ceilDiv, convolutionBindings, type Kernel } from './kernel.ts';

/** With the tile that a kernel on real numbers has. */
const depthwise = (name: string, { accepts, program }: Kernel): Kernel =>
  defineInteger(['conv2d'], {
    name,
    accepts: (body, shapes) => !body.residual && accepts(geometryOf(body), shapes),
    program(body, shapes) {
      const { constants, overrides, shape, workgroups } = program(geometryOf(body) as Conv2d, shapes);
      const { ACTIVATION: _, ...own } = overrides;
      return {
        file: 'int8-depthwise.wgsl',
        source,
        constants,
        overrides: own,
        shape: {
          ...shape,
          outside: wordOf(body.inputZeroPoint),
          weight_zero: body.weightZeroPoint,
          ...endsOf(body.to),
        },
        bindings: convolutionBindings(false),
        workgroups,
      };
    },
    constants(body) {
      const { weights, kernel, outChannels, weightZeroPoint } = body;
      const [taps, channels4] = [kernel[0] * kernel[1], ceilDiv(outChannels, 4)];
      return [
        bytesConstant(4 * taps * channels4, (bytes) => {
          bytes.fill(weightZeroPoint);
          for (let tap = 0; tap < taps; tap++) {
            bytes.set(weights.subarray(tap * outChannels, (tap + 1) * outChannels), 4 * tap * channels4);
          }
        }),
        channelsConstant(body, outChannels, channels4),
      ];
    },
  });

/** Runs on every device. */
export const int8Depthwise = depthwise('int8-depthwise', convDepthwise);

/** As those of `conv-depthwise` by the registers that they leave room for. */
export const int8DepthwiseVariants: readonly Kernel[] = [
  depthwise('int8-depthwise/r32', depthwiseVariants[0]!),
  depthwise('int8-depthwise/r64', depthwiseVariants[1]!),
];
