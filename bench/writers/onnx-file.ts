/** An ONNX model as plain data, and its bytes: the messages of onnx.proto3 that an exporter of convolutions needs. */
import { PbfWriter } from 'pbf';

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** Float32Array: float; Uint16Array: the bits of halves; BigInt64Array: int64. */
  readonly data: Float32Array | Uint16Array | BigInt64Array;
}

/** An integer is `{ int }`, so that 1 is not taken for a float. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** '' where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly dims: readonly number[];
}

export interface OnnxModel {
  readonly name: string;
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** Wire types of protocol buffers. */
const VARINT = 0;
const LENGTH = 2;
const FIXED32 = 5;

const IR_VERSION = 8;
/** TensorProto.DataType. */
export const dataType = { float: 1, int64: 7, float16: 10 } as const;
const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** The bytes of a model. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const writer = new PbfWriter();
  int(writer, 1, IR_VERSION);
  text(writer, 2, 'mobilenet-webgpu');
  writer.writeMessage(7, encodeGraph, model);
  writer.writeMessage(8, encodeOpset, model.opset);
  return writer.finish();
}

function encodeOpset(version: number, writer: PbfWriter): void {
  text(writer, 1, '');
  int(writer, 2, version);
}

function encodeGraph(model: OnnxModel, writer: PbfWriter): void {
  for (const node of model.nodes) writer.writeMessage(1, encodeNode, node);
  text(writer, 2, model.name);
  for (const tensor of model.initializers) writer.writeMessage(5, encodeTensor, tensor);
  for (const input of model.inputs) writer.writeMessage(11, encodeValue, input);
  for (const output of model.outputs) writer.writeMessage(12, encodeValue, output);
}

function encodeNode(node: OnnxNode, writer: PbfWriter): void {
  for (const input of node.inputs) text(writer, 1, input);
  for (const output of node.outputs) text(writer, 2, output);
  text(writer, 3, node.name);
  text(writer, 4, node.op);
  for (const attribute of Object.entries(node.attributes ?? {})) writer.writeMessage(5, encodeAttribute, attribute);
}

function encodeAttribute([name, value]: [string, OnnxAttribute], writer: PbfWriter): void {
  text(writer, 1, name);
  if ('float' in value) {
    writer.writeTag(2, FIXED32);
    writer.writeFloat(value.float);
    int(writer, 20, attributeType.float);
  } else if ('int' in value) {
    int(writer, 3, value.int);
    int(writer, 20, attributeType.int);
  } else if ('string' in value) {
    text(writer, 4, value.string);
    int(writer, 20, attributeType.string);
  } else {
    for (const v of value.ints) int(writer, 8, v);
    int(writer, 20, attributeType.ints);
  }
}

function encodeTensor({ name, dims, data }: OnnxTensor, writer: PbfWriter): void {
  for (const d of dims) int(writer, 1, d);
  const type = data instanceof Float32Array ? 'float' : data instanceof Uint16Array ? 'float16' : 'int64';
  int(writer, 2, dataType[type]);
  text(writer, 8, name);
  writer.writeTag(9, LENGTH);
  writer.writeBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function encodeValue({ name, dims }: OnnxValue, writer: PbfWriter): void {
  text(writer, 1, name);
  writer.writeMessage(2, encodeType, dims);
}

function encodeType(dims: readonly number[], writer: PbfWriter): void {
  writer.writeMessage(1, encodeTensorType, dims);
}

function encodeTensorType(dims: readonly number[], writer: PbfWriter): void {
  int(writer, 1, dataType.float);
  writer.writeMessage(2, encodeShape, dims);
}

function encodeShape(dims: readonly number[], writer: PbfWriter): void {
  for (const dim of dims) writer.writeMessage(1, encodeDimension, dim);
}

function encodeDimension(dim: number, writer: PbfWriter): void {
  int(writer, 1, dim);
}

function int(writer: PbfWriter, field: number, value: number): void {
  writer.writeTag(field, VARINT);
  writer.writeVarint(value);
}

function text(writer: PbfWriter, field: number, value: string): void {
  writer.writeTag(field, LENGTH);
  writer.writeString(value);
}
