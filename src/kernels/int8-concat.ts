import source from '../../shaders/int8-concat.wgsl?raw';
import type { IntegerConcat } from '../graph/integers.ts';
import type { Shape } from '../graph/ops.ts';
import { bytesConstant, defineInteger, wordsConstant } from './int8.ts';
import { ceilDiv, constantBinding, inputBinding, MOST_WORKGROUPS, outputBinding, shapeBinding } from './kernel.ts';

/** Storage buffers that a stage may have in every WebGPU implementation, without the output, the parts and the table. */
const MOST_INPUTS = 5;

const WORKGROUP = 64;

/** Whether an axis of channels is joined in the middle of words. */
const byChannel = ({ axis }: IntegerConcat, inputs: readonly Shape[]): boolean =>
  axis === 3 && inputs.slice(0, -1).some((shape) => shape[3] % 4 !== 0);

/** What an input has from one place of the axis to the next of what lies before it. */
const unitsOf = (body: IntegerConcat, shape: Shape, channels: boolean): number =>
  channels ? shape[3] : shape.slice(body.axis, 3).reduce((product, d) => product * d, ceilDiv(shape[3], 4));

const hasTables = ({ tables }: IntegerConcat): boolean => tables.some((table) => table !== null);

export const int8Concat = defineInteger(['concat'], {
  name: 'int8-concat',
  accepts: (_body, { inputs }) => inputs.length <= MOST_INPUTS,
  program(body, { inputs, output }) {
    const tables = hasTables(body);
    const channels = byChannel(body, inputs);
    const words = output[0] * output[1] * output[2] * ceilDiv(output[3], 4);
    const workgroups = ceilDiv(words, WORKGROUP);
    const inLine = Math.min(workgroups, MOST_WORKGROUPS);
    return {
      file: 'int8-concat.wgsl',
      source,
      constants: { INPUTS: inputs.length, TABLES: tables, BY_CHANNEL: channels },
      overrides: {},
      shape: { words, units: unitsOf(body, output, channels), stride: inLine * WORKGROUP },
      bindings: [
        shapeBinding,
        ...inputs.map((_, i) => inputBinding(i)),
        constantBinding(0),
        ...(tables ? [constantBinding(1)] : []),
        outputBinding,
      ],
      workgroups: [inLine, ceilDiv(workgroups, inLine), 1],
    };
  },
  constants(body, { inputs }) {
    const units = inputs.map((shape) => unitsOf(body, shape, byChannel(body, inputs)));
    const parts = wordsConstant(2 * inputs.length, () => {
      const from = (i: number) => units.slice(0, i).reduce((sum, count) => sum + count, 0);
      return Uint32Array.from(units.flatMap((count, i) => [from(i), count]));
    });
    if (!hasTables(body)) return [parts];
    const identity = Int8Array.from({ length: 256 }, (_, q) => q - 128);
    const tables = bytesConstant(256 * inputs.length, (bytes) => {
      for (const [i, table] of body.tables.entries()) bytes.set(table ?? identity, 256 * i);
    });
    return [parts, tables];
  },
});
