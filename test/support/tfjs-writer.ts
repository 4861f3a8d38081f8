/** Writes small TensorFlow.js graph models for tests: model.json and one shard. */
import { float16Bits } from './onnx-writer.ts';

export type TfjsAttribute =
  | { readonly i: number }
  | { readonly f: number }
  | { readonly b: boolean }
  | { readonly s: string }
  | { readonly type: string }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly shape: readonly number[] };

export interface TfjsNodeSpec {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, TfjsAttribute>>;
}

export interface TfjsWeightSpec {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly dtype?: 'float32' | 'int32' | 'bool';
  /** With `scale` and `min`, `values` are the stored whole numbers. */
  readonly quantization?:
    | { readonly dtype: 'float16' }
    | { readonly dtype: 'uint8' | 'uint16'; readonly scale: number; readonly min: number };
}

export interface TfjsSpec {
  /** Placeholders are written for `inputs`, Const nodes for `weights`. */
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly dtype?: string }>>;
  readonly nodes: readonly TfjsNodeSpec[];
  readonly weights?: Readonly<Record<string, TfjsWeightSpec>>;
  readonly signature?: object;
  readonly paths?: readonly string[];
}

export interface TfjsModel {
  readonly json: {
    readonly format: string;
    readonly modelTopology: object;
    readonly weightsManifest: { paths: string[]; weights: object[] }[];
    readonly signature?: object;
  };
  /** model.json as bytes. */
  readonly bytes: Uint8Array;
  readonly shard: Uint8Array;
}

export function writeTfjs({
  inputs,
  nodes,
  weights = {},
  signature,
  paths = ['group1-shard1of1.bin'],
}: TfjsSpec): TfjsModel {
  const node = [
    ...Object.entries(inputs).map(([name, { shape, dtype = 'DT_FLOAT' }]) => ({
      name,
      op: 'Placeholder',
      attr: { dtype: { type: dtype }, shape: { shape: shapeProto(shape) } },
    })),
    ...Object.keys(weights).map((name) => ({ name, op: 'Const', attr: {} })),
    ...nodes.map(({ name, op, input = [], attr = {} }) => ({
      name,
      op,
      input,
      attr: Object.fromEntries(Object.entries(attr).map(([key, value]) => [key, attribute(value)])),
    })),
  ];
  const specifications = Object.entries(weights).map(([name, { shape, dtype = 'float32', quantization }]) => ({
    name,
    shape,
    dtype,
    ...(quantization ? { quantization } : {}),
  }));
  const shard = joined(Object.values(weights).map(stored));
  const json = {
    format: 'graph-model',
    modelTopology: { node, versions: {}, library: {} },
    weightsManifest: [{ paths: [...paths], weights: specifications }],
    ...(signature ? { signature } : {}),
  };
  return { json, bytes: new TextEncoder().encode(JSON.stringify(json)), shard };
}

const shapeProto = (shape: readonly number[]) => ({ dim: shape.map((size) => ({ size: String(size) })) });

function attribute(value: TfjsAttribute): object {
  if ('ints' in value) return { list: { i: value.ints.map(String) } };
  if ('strings' in value) return { list: { s: value.strings.map(btoa) } };
  if ('s' in value) return { s: btoa(value.s) };
  if ('i' in value) return { i: String(value.i) };
  if ('shape' in value) return { shape: shapeProto(value.shape) };
  return value;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

function stored({ values, dtype = 'float32', quantization }: TfjsWeightSpec): Uint8Array {
  switch (quantization?.dtype) {
    case 'float16':
      return new Uint8Array(Uint16Array.from(values, float16Bits).buffer);
    case 'uint16':
      return new Uint8Array(Uint16Array.from(values).buffer);
    case 'uint8':
      return Uint8Array.from(values);
  }
  if (dtype === 'bool') return Uint8Array.from(values);
  return new Uint8Array(dtype === 'int32' ? Int32Array.from(values).buffer : Float32Array.from(values).buffer);
}
