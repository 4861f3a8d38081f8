/** Quantised TensorFlow Lite files for `Graph.quantisation`: which tensors of the network and which constants are integers. */
import type { Graph } from '../../graph/graph.ts';
import type { StoredTensor } from '../../graph/quantisation.ts';
import type { Constant } from '../core/constants.ts';
import type { ImportBuilder, Place, Value } from '../core/import-builder.ts';
import { type Rounding, withQuantisation } from '../core/rounding.ts';
import { spreadOf } from '../core/spread.ts';
import type { TfliteTensor } from './tensors.ts';

const DEQUANTIZE = 6;

/** How a tensor of the network is held; null where it is no integers of 8 bits with a scale. */
function storedTensor({ name, type, quantisation }: TfliteTensor): StoredTensor | null {
  if (!quantisation || (type !== 'INT8' && type !== 'UINT8')) return null;
  const [scale, zeroPoint] = [quantisation.scales[0]!, quantisation.zeroPoints[0] ?? 0];
  return type === 'UINT8'
    ? { name, type: 'uint8', scale, zeroPoint: zeroPoint - 128 }
    : { name, type: 'int8', scale, zeroPoint };
}

export class TfliteRounding {
  readonly #core: Rounding;

  constructor(core: Rounding) {
    this.#core = core;
  }

  constant(value: Constant, { name, type, quantisation, bytes }: TfliteTensor): void {
    if (!quantisation || !['INT8', 'UINT8', 'INT32'].includes(type)) return;
    const { scales, zeroPoints, dimension } = quantisation;
    // XNNPACK leaves such to kernels that round otherwise.
    if (type === 'UINT8' && dimension !== 0) return;
    const shift = type === 'UINT8' ? 128 : 0;
    this.#core.keep(value, {
      name,
      scales,
      zeroPoints: scales.map((_, i) => (zeroPoints[i] ?? 0) - shift),
      bias: type === 'INT32' ? new Int32Array(bytes.slice().buffer) : null,
    });
  }

  /** What is read of a tensor of the network that holds `value`. */
  computed(builder: ImportBuilder, place: Place, value: Value, tensor: TfliteTensor): Value {
    const stored = storedTensor(tensor);
    if (value.kind === 'constant' || spreadOf(value)) return value;
    if (stored) return this.#core.rounded(builder, place, value, stored);
    if (tensor.type === 'INT16') builder.unsupported(place, 'has an output of int16, expected int8 or uint8');
    return value;
  }

  /** Of the operator with this number and these inputs. */
  result(
    builder: ImportBuilder,
    place: Place,
    operator: number,
    result: Value,
    inputs: readonly (Value | undefined)[],
    output: TfliteTensor,
  ): Value {
    this.#core.note(builder, place, result, inputs);
    if (operator === DEQUANTIZE && result.kind === 'variable') return builder.activation(place, result, 'none');
    return this.computed(builder, place, result, output);
  }
}

/** The network on real numbers with how its file holds it, which `load` reads. */
export const withTfliteQuantisation = (
  graph: Graph,
  load: (rounding: TfliteRounding) => Promise<Graph>,
): Promise<Graph> => withQuantisation(graph, 'xnnpack', (core) => load(new TfliteRounding(core)));
