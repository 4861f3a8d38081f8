/**
 * A TensorFlow Lite model as plain data, and its bytes. Numbers of fields and enumerations are those of TensorFlow's
 * schema.fbs (schema version 3).
 */
import { Builder } from 'flatbuffers';

/** BuiltinOperator. */
export const operators = {
  ADD: 0,
  AVERAGE_POOL_2D: 1,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  FULLY_CONNECTED: 9,
  L2_NORMALIZATION: 11,
  LOGISTIC: 14,
  MAX_POOL_2D: 17,
  MUL: 18,
  RELU: 19,
  RELU_N1_TO_1: 20,
  RELU6: 21,
  RESHAPE: 22,
  RESIZE_BILINEAR: 23,
  SOFTMAX: 25,
  PAD: 34,
  TRANSPOSE: 39,
  MEAN: 40,
  PRELU: 54,
  MAXIMUM: 55,
  MINIMUM: 57,
  PADV2: 60,
  TRANSPOSE_CONV: 67,
  RESIZE_NEAREST_NEIGHBOR: 97,
  QUANTIZE: 114,
  HARD_SWISH: 117,
} as const;

export type TfliteOperatorName = keyof typeof operators;

/** ActivationFunctionType. */
export const fusedActivations = { none: 0, relu: 1, relu6: 3 } as const;

/** Padding. */
export const paddings = { SAME: 0, VALID: 1 } as const;

/** Where an options table is in the union BuiltinOptions, and its fields in order. */
const options = {
  Conv2DOptions: {
    type: 1,
    fields: ['padding:byte', 'strideW:int', 'strideH:int', 'activation:byte', 'dilationW:int=1', 'dilationH:int=1'],
  },
  DepthwiseConv2DOptions: {
    type: 2,
    fields: [
      ...['padding:byte', 'strideW:int', 'strideH:int', 'depthMultiplier:int', 'activation:byte'],
      ...['dilationW:int=1', 'dilationH:int=1'],
    ],
  },
  Pool2DOptions: {
    type: 5,
    fields: ['padding:byte', 'strideW:int', 'strideH:int', 'filterWidth:int', 'filterHeight:int', 'activation:byte'],
  },
  FullyConnectedOptions: { type: 8, fields: ['activation:byte'] },
  SoftmaxOptions: { type: 9, fields: ['beta:float'] },
  ConcatenationOptions: { type: 10, fields: ['axis:int', 'activation:byte'] },
  AddOptions: { type: 11, fields: ['activation:byte'] },
  L2NormOptions: { type: 20, fields: ['activation:byte'] },
  ResizeBilinearOptions: {
    type: 15,
    fields: ['newHeight:int', 'newWidth:int', 'alignCorners:byte', 'halfPixelCenters:byte'],
  },
  ReshapeOptions: { type: 17, fields: ['newShape:ints'] },
  MulOptions: { type: 21, fields: ['activation:byte'] },
  PadOptions: { type: 22, fields: [] },
  TransposeOptions: { type: 26, fields: [] },
  ReducerOptions: { type: 27, fields: ['keepDims:byte'] },
  MaximumMinimumOptions: { type: 39, fields: [] },
  PadV2Options: { type: 43, fields: [] },
  TransposeConvOptions: { type: 49, fields: ['padding:byte', 'strideW:int', 'strideH:int', 'activation:byte'] },
  ResizeNearestNeighborOptions: { type: 74, fields: ['alignCorners:byte', 'halfPixelCenters:byte'] },
} as const;

export type OptionsName = keyof typeof options;

/** TensorType. */
const tensorTypes = { float32: 0, int32: 2, uint8: 3, int8: 9 } as const;

export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** A constant's values; null for what is computed. */
  readonly data: Float32Array | Int32Array | Uint8Array | Int8Array | null;
  /** That of float32 or int32 data unless given. */
  readonly type?: keyof typeof tensorTypes;
  readonly quantisation?: TfliteQuantisation;
}

/** real = (stored − zeroPoint) · scale: one pair, or one for each index of `dimension`. */
export interface TfliteQuantisation {
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly dimension: number;
}

export interface TfliteOperator {
  readonly op: TfliteOperatorName;
  /** Of the operator's definition: the lowest that has the options used. */
  readonly version: number;
  /** Indices of tensors. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: readonly [name: OptionsName, fields: Readonly<Record<string, number | readonly number[]>>];
}

export interface TfliteModel {
  readonly name: string;
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
  /** Names for callers, and tensors. */
  readonly inputs: readonly (readonly [name: string, tensor: number])[];
  readonly outputs: readonly (readonly [name: string, tensor: number])[];
}

const SCHEMA_VERSION = 3;
/** Weights are read in place: runtimes ask for this alignment. */
const ALIGNMENT = 16;
/** builtin_code once was a byte; later operators leave this there. */
const PLACEHOLDER_FOR_GREATER_OP_CODES = 127;

/** The bytes of a model, with a default signature that names its inputs and outputs. */
export function encodeTflite(model: TfliteModel): Uint8Array {
  const weightBytes = model.tensors.reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0);
  const builder = new Builder(weightBytes + 65536);
  const table = (...fields: ((builder: Builder) => void)[]) => {
    builder.startObject(fields.length);
    for (const field of fields) field(builder);
    return builder.endObject();
  };
  const offset = (index: number, value: number) => () => builder.addFieldOffset(index, value, 0);
  const int = (index: number, value: number) => () => builder.addFieldInt32(index, value, 0);
  const byte = (index: number, value: number) => () => builder.addFieldInt8(index, value, 0);
  const none = () => {};
  const offsets = (values: readonly number[]) => {
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addOffset(value);
    return builder.endVector();
  };
  const ints = (values: readonly number[]) => {
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addInt32(value);
    return builder.endVector();
  };

  const quantised = ({ scales, zeroPoints, dimension }: TfliteQuantisation) => {
    builder.startVector(4, scales.length, 4);
    for (const scale of [...scales].reverse()) builder.addFloat32(scale);
    const scaleVector = builder.endVector();
    builder.startVector(8, zeroPoints.length, 8);
    for (const zeroPoint of [...zeroPoints].reverse()) builder.addInt64(BigInt(zeroPoint));
    const zeroPointVector = builder.endVector();
    return table(none, none, offset(2, scaleVector), offset(3, zeroPointVector), none, none, int(6, dimension));
  };

  // Buffer 0 is the empty one of tensors that are computed.
  const buffers = [table(none)];
  const tensors = model.tensors.map(({ name, shape, data, type, quantisation }) => {
    const label = builder.createString(name);
    const dims = ints(shape);
    if (data) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      builder.prep(ALIGNMENT, bytes.length);
      const vector = builder.createByteVector(bytes);
      buffers.push(table(offset(0, vector)));
    }
    const parameters = quantisation ? quantised(quantisation) : null;
    return table(
      offset(0, dims),
      byte(1, tensorTypes[type ?? (data instanceof Int32Array ? 'int32' : 'float32')]),
      int(2, data ? buffers.length - 1 : 0),
      offset(3, label),
      parameters === null ? none : offset(4, parameters),
    );
  });

  const codes = new Map<string, { index: number; code: number; version: number }>();
  const encoded = model.operators.map((operator) => {
    const code = operators[operator.op];
    const key = `${code}/${operator.version}`;
    const known = codes.get(key) ?? { index: codes.size, code, version: operator.version };
    codes.set(key, known);
    const inputs = ints(operator.inputs);
    const outputs = ints(operator.outputs);
    const union = operator.options ? encodeOptions(builder, ints, operator.options) : null;
    return table(
      int(0, known.index),
      offset(1, inputs),
      offset(2, outputs),
      byte(3, union?.type ?? 0),
      union ? offset(4, union.offset) : none,
    );
  });

  const subgraph = table(
    offset(0, offsets(tensors)),
    offset(1, ints(model.inputs.map(([, tensor]) => tensor))),
    offset(2, ints(model.outputs.map(([, tensor]) => tensor))),
    offset(3, offsets(encoded)),
    offset(4, builder.createString(model.name)),
  );
  const map = (entries: TfliteModel['inputs']) =>
    offsets(entries.map(([name, tensor]) => table(offset(0, builder.createString(name)), int(1, tensor))));
  const signature = table(
    offset(0, map(model.inputs)),
    offset(1, map(model.outputs)),
    offset(2, builder.createString('serving_default')),
  );
  const operatorCodes = [...codes.values()].map(({ code, version }) =>
    table(byte(0, Math.min(code, PLACEHOLDER_FOR_GREATER_OP_CODES)), none, int(2, version), int(3, code)),
  );
  const root = table(
    int(0, SCHEMA_VERSION),
    offset(1, offsets(operatorCodes)),
    offset(2, offsets([subgraph])),
    offset(3, builder.createString('mobilenet-webgpu')),
    offset(4, offsets(buffers)),
    none,
    none,
    offset(7, offsets([signature])),
  );
  builder.finish(root, 'TFL3');
  return builder.asUint8Array();
}

/** A field is `name:type` or `name:type=default`; what is not given has its default. */
function encodeOptions(
  builder: Builder,
  ints: (values: readonly number[]) => number,
  [name, values]: NonNullable<TfliteOperator['options']>,
): { type: number; offset: number } {
  const { type, fields } = options[name];
  const vectors = Object.entries(values).flatMap(([key, value]) =>
    typeof value === 'number' ? [] : [[key, ints(value)] as const],
  );
  const vectorOf = new Map(vectors);
  const known = new Set<string>();
  builder.startObject(fields.length);
  fields.forEach((field, index) => {
    const [, key = '', kind, standard = '0'] = /^(\w+):(\w+)(?:=(\d+))?$/.exec(field) ?? [];
    known.add(key);
    const value = values[key];
    if (value === undefined) return;
    if (kind === 'ints') builder.addFieldOffset(index, vectorOf.get(key)!, 0);
    else if (kind === 'byte') builder.addFieldInt8(index, value as number, Number(standard));
    else if (kind === 'int') builder.addFieldInt32(index, value as number, Number(standard));
    else builder.addFieldFloat32(index, value as number, Number(standard));
  });
  const unknown = Object.keys(values).find((key) => !known.has(key));
  if (unknown) throw new Error(`${name} has no field "${unknown}"`);
  return { type, offset: builder.endObject() };
}
