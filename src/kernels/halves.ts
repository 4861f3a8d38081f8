import sums from '../../shaders/fragments/half-sums.wgsl?raw';
import { halfWeights, MOST_INPUT, MOST_TERMS } from '../graph/half-weights.ts';
import { isPointwise } from '../graph/layers.ts';
import { byRegisters } from './conv-depthwise.ts';
import { direct } from './conv-direct.ts';
import { hardwareTiles, pointwise, usualTile } from './conv-pointwise.ts';
import { dotVariantName, tileOf } from './dot.ts';
import { matrixVector, usualVariant } from './fully-connected.ts';
import { ceilDiv, type HalfArithmetic, type Kernel, weightsConstant } from './kernel.ts';
import { packRows } from './pack.ts';
import { biasAndScales, once, scaledFragments } from './scaled.ts';

export { halfOperands } from './half-operands.ts';

/** Put before the name of the kernel that computes the same in float32. */
export const HALF = 'half/';

/** As shaders/fragments/half-sums.wgsl has it: [taps][⌈inputs / 4⌉][groups][4 inputs][group]. */
const halves: HalfArithmetic = {
  fragments: { 'half-sums': sums, ...scaledFragments },
  names: { MOST_INPUT, MOST_TERMS },
  dot({ weights, bias, taps, inputs, outputs, group, columns, vectors }) {
    const rows = 4 * vectors * ceilDiv(inputs, 4 * vectors);
    const pitch = group * ceilDiv(outputs, group);
    const scaled = once(() => halfWeights(weights(), outputs));
    const pack = () => {
      const { values } = scaled();
      const out = new Float32Array(taps * rows * pitch);
      for (let tap = 0; tap < taps; tap++) {
        for (let i = 0; i < inputs; i++) {
          const from = (tap * inputs + i) * outputs;
          const row = tap * rows + i;
          const to = (row >> 2) * 4 * pitch + (row & 3) * group;
          for (let o = 0; o < outputs; o++) {
            out[to + 4 * (o - (o % group)) + (o % group)] = values[from + o]!;
          }
        }
      }
      return out;
    };
    return [weightsConstant(taps * rows * pitch, pack), biasAndScales(bias, columns, () => scaled().scales)];
  },
  taps(weights, bias, channels) {
    const pitch = 4 * ceilDiv(channels, 4);
    const rows = weights.length / channels;
    const scaled = once(() => halfWeights(weights, channels));
    return [
      weightsConstant(rows * pitch, () => packRows(scaled().values, rows, channels)),
      biasAndScales(bias, pitch, () => scaled().scales),
    ];
  },
};

/** Those of a plan that computes in halves: each in the place of the one whose name follows `HALF`. */
export const forms: readonly Kernel[] = [
  matrixVector('conv2d', `${HALF}matrix-vector`, { ...usualVariant, halves }),
  pointwise(`${HALF}conv-pointwise`, { ...usualTile, halves }),
  ...hardwareTiles.map((tile) => pointwise(HALF + dotVariantName('conv-pointwise', tile), { ...tile, halves })),
  byRegisters(`${HALF}conv-depthwise`, 16, halves),
  ...([32, 64] as const).map((registers) => byRegisters(`${HALF}conv-depthwise/r${registers}`, registers, halves)),
  direct(`${HALF}conv-direct`, { ...tileOf(2, 4, 'line'), halves }, () => true),
  ...[tileOf(4, 8, 'line'), tileOf(1, 8, 'line'), tileOf(2, 4, 'pixels')].map((tile) =>
    direct(HALF + dotVariantName('conv-direct', tile), { ...tile, halves }, (node) => !isPointwise(node)),
  ),
  matrixVector('fully-connected', `${HALF}fully-connected`, { ...usualVariant, halves }),
];
