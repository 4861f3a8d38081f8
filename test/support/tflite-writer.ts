/**
 * TensorFlow Lite files out of plain values, sound or not, quantised or not. Numbers of fields, operators and types are
 * those of TensorFlow's schema.fbs.
 */
import { type FlatNode, type FlatRecord, writeFlat } from './flat-writer.ts';

const types = { FLOAT32: 0, FLOAT16: 1, INT32: 2, UINT8: 3, STRING: 5, INT8: 9 } as const;
const operators = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  FULLY_CONNECTED: 9,
  MAX_POOL_2D: 17,
  MUL: 18,
  RELU: 19,
  RESHAPE: 22,
  RESIZE_BILINEAR: 23,
  SOFTMAX: 25,
  CUSTOM: 32,
  PAD: 34,
  BATCH_TO_SPACE_ND: 37,
  SPACE_TO_BATCH_ND: 38,
  MEAN: 40,
  CAST: 53,
  MAXIMUM: 55,
  ARG_MAX: 56,
  TRANSPOSE_CONV: 67,
  TILE: 69,
  ABS: 101,
  QUANTIZE: 114,
} as const;

/** In the union BuiltinOptions. */
const optionTypes: Readonly<Record<string, number>> = {
  ADD: 11,
  AVERAGE_POOL_2D: 5,
  CONCATENATION: 10,
  CONV_2D: 1,
  DEPTHWISE_CONV_2D: 2,
  FULLY_CONNECTED: 8,
  MAX_POOL_2D: 5,
  MUL: 21,
  RESIZE_BILINEAR: 15,
  SOFTMAX: 9,
  MEAN: 27,
  CAST: 37,
  ARG_MAX: 40,
  TRANSPOSE_CONV: 49,
};

export interface TensorSpec {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type?: keyof typeof types;
  /** The bytes of a constant; tensors with the same array lie in the same buffer. */
  readonly data?: Uint8Array;
  readonly buffer?: number;
  readonly scales?: readonly number[];
  readonly zeroPoints?: readonly number[];
  readonly axis?: number;
}
export interface OperatorSpec {
  readonly op: keyof typeof operators | number;
  /** Names of tensors, or indices. */
  readonly inputs: readonly (string | number)[];
  readonly output: string | number;
  /** Further outputs. */
  readonly also?: readonly (string | number)[];
  /** Of CUSTOM: its name, which all of a file share, and its options. */
  readonly custom?: { readonly code: string; readonly options: Uint8Array };
  readonly options?: FlatRecord['fields'];
  /** In place of the operator's own. */
  readonly optionsType?: number;
}
export interface ModelSpec {
  readonly tensors: readonly TensorSpec[];
  readonly operators: readonly OperatorSpec[];
  readonly inputs?: readonly (string | number)[];
  readonly outputs?: readonly (string | number)[];
  readonly version?: number;
  readonly metadata?: Uint8Array;
  /** In place of what the others make. */
  readonly root?: FlatRecord['fields'];
  readonly subgraph?: FlatRecord['fields'];
}

export const table = (fields: FlatRecord['fields']): FlatRecord => ({ fields });
export const many = (count: number, node: FlatNode): FlatNode => ({ tables: new Array<FlatNode>(count).fill(node) });

/** A file with one subgraph, from `x` to `y` unless it says otherwise. */
export function tfliteFile({
  tensors,
  operators: nodes,
  inputs = ['x'],
  outputs = ['y'],
  ...more
}: ModelSpec): Uint8Array {
  const index = (name: string | number) =>
    typeof name === 'number' ? name : tensors.findIndex((tensor) => tensor.name === name);
  const buffers: FlatNode[] = [table({})];
  const places = new Map<Uint8Array, number>();
  const bufferOf = (data: Uint8Array | undefined): number => {
    if (!data) return 0;
    const known = places.get(data) ?? buffers.push(table({ 0: { bytes: data } })) - 1;
    places.set(data, known);
    return known;
  };
  const written = tensors.map(({ name, dims, type = 'FLOAT32', data, buffer, scales, zeroPoints, axis = 0 }) => {
    const quantisation = scales && {
      2: { floats: scales },
      3: zeroPoints ? { longs: zeroPoints.map(BigInt) } : null,
      6: axis,
    };
    return table({
      0: { ints: dims },
      1: ['byte', types[type]],
      2: buffer ?? bufferOf(data),
      3: { text: name },
      4: quantisation ? table(quantisation) : null,
    });
  });
  const codes = [...new Set(nodes.map(({ op }) => op))];
  const operatorTables = nodes.map(({ op, inputs, output, also = [], custom, options, optionsType }) =>
    table({
      0: codes.indexOf(op),
      1: { ints: inputs.map(index) },
      2: { ints: [output, ...also].map(index) },
      3: ['byte', optionsType ?? optionTypes[op] ?? 0],
      4: options ? table(options) : null,
      5: custom ? { bytes: custom.options } : null,
    }),
  );
  const custom = nodes.find((node) => node.custom)?.custom;
  const subgraph = table({
    0: { tables: written },
    1: { ints: inputs.map(index) },
    2: { ints: outputs.map(index) },
    3: { tables: operatorTables },
    ...more.subgraph,
  });
  if (more.metadata) buffers.push(table({ 0: { bytes: more.metadata } }));
  const entry = more.metadata && table({ 0: { text: 'TFLITE_METADATA' }, 1: buffers.length - 1 });
  const codeTables = codes.map((op) =>
    table({
      1: op === 'CUSTOM' && custom ? { text: custom.code } : null,
      3: typeof op === 'number' ? op : operators[op],
    }),
  );
  const root = {
    0: more.version ?? 3,
    1: { tables: codeTables },
    2: { tables: [subgraph] },
    4: { tables: buffers },
    6: entry ? { tables: [entry] } : null,
    ...more.root,
  };
  return writeFlat(table(root), 'TFL3');
}

// Places in the bytes of a file, for tests that alter them.

export const rootOf = (view: DataView) => view.getUint32(0, true);
export const vtableOf = (view: DataView, position: number) => position - view.getInt32(position, true);
export const fieldOf = (view: DataView, position: number, field: number) =>
  position + view.getUint16(vtableOf(view, position) + 4 + 2 * field, true);
export const follow = (view: DataView, at: number) => at + view.getUint32(at, true);
export const subgraphOf = (view: DataView) => follow(view, follow(view, fieldOf(view, rootOf(view), 2)) + 4);
