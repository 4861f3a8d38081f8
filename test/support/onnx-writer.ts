/** Writes small ONNX files for tests: just the messages and fields that the loader reads (onnx.proto3). */
import { PbfWriter } from 'pbf';

export const onnxTypes = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
};

export interface TensorSpec {
  readonly dims: readonly number[];
  readonly type?: keyof typeof onnxTypes;
  readonly values?: ArrayLike<number>;
  /** As typed data rather than raw bytes. */
  readonly typed?: boolean;
  /** Overrides the bytes that `values` would make. */
  readonly raw?: Uint8Array;
  readonly external?: Readonly<Record<string, string>>;
}

export type AttributeSpec =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorSpec }
  | { readonly graph: GraphSpec };

export interface NodeSpec {
  readonly op: string;
  readonly name?: string;
  readonly domain?: string;
  readonly inputs?: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
}

export interface ValueSpec {
  readonly name: string;
  readonly type?: keyof typeof onnxTypes;
  /** A string is a symbolic (dynamic) dimension. */
  readonly dims?: readonly (number | string)[];
}

export interface GraphSpec {
  readonly nodes: readonly NodeSpec[];
  readonly inputs?: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
  readonly initializers?: Readonly<Record<string, TensorSpec>> | readonly (readonly [string, TensorSpec])[];
}

export interface ModelSpec extends GraphSpec {
  readonly opset?: number;
}

export function writeOnnx(model: ModelSpec): Uint8Array {
  const writer = new PbfWriter();
  writer.writeTag(1, 0);
  writer.writeVarint(8);
  writer.writeMessage(7, writeGraph, model);
  writer.writeMessage(8, writeOpset, ['', model.opset ?? 17] as const);
  const domains = new Set(model.nodes.map(({ domain }) => domain ?? ''));
  for (const domain of domains) if (domain) writer.writeMessage(8, writeOpset, [domain, 1] as const);
  return writer.finish();
}

/** A file with these entries as its metadata_props. */
export function withMetadataProps(file: Uint8Array, properties: Readonly<Record<string, string>>): Uint8Array {
  const writer = new PbfWriter();
  for (const entry of Object.entries(properties)) writer.writeMessage(14, writeEntry, entry);
  return Uint8Array.from([...file, ...writer.finish()]);
}

function writeOpset([domain, version]: readonly [string, number], pbf: PbfWriter): void {
  text(pbf, 1, domain);
  pbf.writeTag(2, 0);
  pbf.writeVarint(version);
}

function writeGraph(graph: GraphSpec, pbf: PbfWriter): void {
  for (const node of graph.nodes) pbf.writeMessage(1, writeNode, node);
  text(pbf, 2, 'graph');
  const { initializers = {} } = graph;
  const entries = Array.isArray(initializers) ? initializers : Object.entries(initializers);
  for (const entry of entries) pbf.writeMessage(5, writeTensor, entry);
  for (const input of graph.inputs ?? []) pbf.writeMessage(11, writeValue, input);
  for (const output of graph.outputs) pbf.writeMessage(12, writeValue, output);
}

function writeNode(node: NodeSpec, pbf: PbfWriter): void {
  for (const input of node.inputs ?? []) text(pbf, 1, input);
  for (const output of node.outputs) text(pbf, 2, output);
  text(pbf, 3, node.name ?? '');
  text(pbf, 4, node.op);
  for (const attribute of Object.entries(node.attributes ?? {})) pbf.writeMessage(5, writeAttribute, attribute);
  if (node.domain) text(pbf, 7, node.domain);
}

function writeAttribute([name, value]: [string, AttributeSpec], pbf: PbfWriter): void {
  text(pbf, 1, name);
  const kind = (type: number) => {
    pbf.writeTag(20, 0);
    pbf.writeVarint(type);
  };
  if ('float' in value) {
    pbf.writeTag(2, 5);
    pbf.writeFloat(value.float);
    kind(1);
  } else if ('int' in value) {
    pbf.writeTag(3, 0);
    pbf.writeVarint(value.int);
    kind(2);
  } else if ('string' in value) {
    text(pbf, 4, value.string);
    kind(3);
  } else if ('tensor' in value) {
    pbf.writeMessage(5, writeTensor, ['', value.tensor] as const);
    kind(4);
  } else if ('graph' in value) {
    pbf.writeMessage(6, writeGraph, value.graph);
    kind(5);
  } else if ('floats' in value) {
    for (const v of value.floats) {
      pbf.writeTag(7, 5);
      pbf.writeFloat(v);
    }
    kind(6);
  } else {
    for (const v of value.ints) {
      pbf.writeTag(8, 0);
      pbf.writeVarint(v);
    }
    kind(7);
  }
}

function writeTensor([name, tensor]: readonly [string, TensorSpec], pbf: PbfWriter): void {
  const { dims, type = 'float', values = [], typed = false, raw, external } = tensor;
  for (const d of dims) {
    pbf.writeTag(1, 0);
    pbf.writeVarint(d);
  }
  pbf.writeTag(2, 0);
  pbf.writeVarint(onnxTypes[type]);
  text(pbf, 8, name);
  if (external) {
    for (const entry of Object.entries(external)) pbf.writeMessage(13, writeEntry, entry);
    pbf.writeTag(14, 0);
    pbf.writeVarint(1);
  } else if (typed) writeTyped(type, Array.from(values), pbf);
  else {
    pbf.writeTag(9, 2);
    pbf.writeBytes(raw ?? rawBytes(type, values));
  }
}

function writeTyped(type: keyof typeof onnxTypes, values: number[], pbf: PbfWriter): void {
  if (type === 'float') pbf.writePackedFloat(4, values);
  else if (type === 'double') pbf.writePackedDouble(10, values);
  else pbf.writePackedVarint(type === 'int64' ? 7 : 5, values);
}

export function rawBytes(type: keyof typeof onnxTypes, values: ArrayLike<number>): Uint8Array {
  const list = Array.from(values);
  switch (type) {
    case 'float':
      return new Uint8Array(Float32Array.from(list).buffer);
    case 'double':
      return new Uint8Array(Float64Array.from(list).buffer);
    case 'int64':
      return new Uint8Array(BigInt64Array.from(list, (v) => BigInt(v)).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(list).buffer);
    case 'float16':
      return new Uint8Array(Uint16Array.from(list, float16Bits).buffer);
    default:
      return Uint8Array.from(list);
  }
}

/** For values that binary16 holds exactly and normally. */
export function float16Bits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

function writeEntry([key, value]: [string, string], pbf: PbfWriter): void {
  text(pbf, 1, key);
  text(pbf, 2, value);
}

function writeValue(value: ValueSpec, pbf: PbfWriter): void {
  text(pbf, 1, value.name);
  if (value.dims || value.type) pbf.writeMessage(2, writeType, value);
}

function writeType(value: ValueSpec, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, value);
}

function writeTensorType({ type = 'float', dims }: ValueSpec, pbf: PbfWriter): void {
  pbf.writeTag(1, 0);
  pbf.writeVarint(onnxTypes[type]);
  if (dims) pbf.writeMessage(2, writeShape, dims);
}

function writeShape(dims: readonly (number | string)[], pbf: PbfWriter): void {
  for (const dim of dims) pbf.writeMessage(1, writeDim, dim);
}

function writeDim(dim: number | string, pbf: PbfWriter): void {
  if (typeof dim === 'string') text(pbf, 2, dim);
  else {
    pbf.writeTag(1, 0);
    pbf.writeVarint(dim);
  }
}

function text(pbf: PbfWriter, field: number, value: string): void {
  pbf.writeTag(field, 2);
  pbf.writeString(value);
}
