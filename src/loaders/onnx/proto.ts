/**
 * The messages of onnx.proto3 that the loader needs, read with `pbf`. Every length is checked against the message that
 * holds it, and every trouble is a `ModelFormatError` that states the byte offset.
 */
import { PbfReader } from 'pbf';
import { ModelFormatError } from '../../errors.ts';

/** TensorProto.DataType. */
export const dataTypes = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Byte offset in the file, for messages. */
  readonly offset: number;
  readonly raw: Uint8Array | null;
  readonly floats: readonly number[];
  readonly int32s: readonly number[];
  readonly int64s: readonly number[];
  readonly doubles: readonly number[];
  readonly uint64s: readonly number[];
  /** 1: the data are in another file, which `external` describes. */
  readonly location: number;
  readonly external: readonly { readonly key: string; readonly value: string }[];
}

export interface AttributeProto {
  readonly name: string;
  readonly float: number;
  readonly int: number;
  readonly string: string;
  readonly tensor: TensorProto | null;
  readonly graph: GraphProto | null;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  /** AttributeType; 0 where an early file states none. */
  readonly type: number;
}

export interface NodeProto {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly AttributeProto[];
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type: {
    readonly tensor: {
      readonly elementType: number;
      /** null where the file gives no shape; a dimension of 0 or less is dynamic. */
      readonly shape: { readonly dims: readonly { readonly value: number }[] } | null;
    } | null;
  } | null;
}

export interface GraphProto {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
}

export interface ModelProto {
  readonly graph: GraphProto;
  /** Version of the default operator set. */
  readonly opset: number;
  readonly metadata: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

type Scalar = 'string' | 'integer' | 'float' | 'double' | 'bytes';
type Field = readonly [name: string, kind: Scalar | MessageName, repeated?: boolean];
type MessageName = keyof typeof messages;

/** By field number. Other fields are skipped. */
const messages = {
  ModelProto: {
    7: ['graph', 'GraphProto'],
    8: ['opsets', 'OperatorSetIdProto', true],
    14: ['metadata', 'MetadataProto', true],
  },
  // A StringStringEntryProto whose value may be long.
  MetadataProto: { 1: ['key', 'string'], 2: ['value', 'bytes'] },
  OperatorSetIdProto: { 1: ['domain', 'string'], 2: ['version', 'integer'] },
  GraphProto: {
    1: ['nodes', 'NodeProto', true],
    5: ['initializers', 'TensorProto', true],
    11: ['inputs', 'ValueInfoProto', true],
    12: ['outputs', 'ValueInfoProto', true],
  },
  NodeProto: {
    1: ['inputs', 'string', true],
    2: ['outputs', 'string', true],
    3: ['name', 'string'],
    4: ['op', 'string'],
    5: ['attributes', 'AttributeProto', true],
    7: ['domain', 'string'],
  },
  AttributeProto: {
    1: ['name', 'string'],
    2: ['float', 'float'],
    3: ['int', 'integer'],
    4: ['string', 'string'],
    5: ['tensor', 'TensorProto'],
    6: ['graph', 'GraphProto'],
    7: ['floats', 'float', true],
    8: ['ints', 'integer', true],
    20: ['type', 'integer'],
  },
  TensorProto: {
    1: ['dims', 'integer', true],
    2: ['dataType', 'integer'],
    4: ['floats', 'float', true],
    5: ['int32s', 'integer', true],
    7: ['int64s', 'integer', true],
    8: ['name', 'string'],
    9: ['raw', 'bytes'],
    10: ['doubles', 'double', true],
    11: ['uint64s', 'integer', true],
    13: ['external', 'StringStringEntryProto', true],
    14: ['location', 'integer'],
  },
  StringStringEntryProto: { 1: ['key', 'string'], 2: ['value', 'string'] },
  ValueInfoProto: { 1: ['name', 'string'], 2: ['type', 'TypeProto'] },
  TypeProto: { 1: ['tensor', 'TypeProto.Tensor'] },
  'TypeProto.Tensor': { 1: ['elementType', 'integer'], 2: ['shape', 'TensorShapeProto'] },
  TensorShapeProto: { 1: ['dims', 'Dimension', true] },
  Dimension: { 1: ['value', 'integer'] },
} satisfies Record<string, Record<number, readonly [string, string, boolean?]>>;

const caps = { nodes: 100_000, messages: 300_000, depth: 32, names: 4096, string: 65_536 };

/** What a field holds that the file leaves out; shared, since 100,000 empty lists would weigh more than the file. */
const none: readonly never[] = Object.freeze([]);
const absent = { string: '', integer: 0, float: 0, double: 0, bytes: null };

/** Throws `ModelFormatError`. */
export function readModel(file: string, bytes: Uint8Array): ModelProto {
  return new OnnxReader(file, bytes).model();
}

class OnnxReader {
  private readonly file: string;
  private readonly pbf: PbfReader;
  private messages = 0;
  private nodes = 0;
  private depth = 0;

  constructor(file: string, bytes: Uint8Array) {
    this.file = file;
    this.pbf = new PbfReader(bytes);
  }

  model(): ModelProto {
    const end = this.pbf.length;
    const { graph, opsets, metadata } = this.fields('ModelProto', end) as unknown as {
      graph: GraphProto | null;
      opsets: readonly { domain: string; version: number }[];
      metadata: ModelProto['metadata'];
    };
    const opset = opsets.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0;
    if (!graph) return this.fail('has no graph: it is truncated, or not an ONNX model', end);
    if (opset === 0) this.fail('states no version of the ONNX operators (opset_import): it is truncated', end);
    return { graph, opset, metadata };
  }

  /** The message from here to `end`. */
  private fields(message: MessageName, end: number): Record<string, unknown> {
    const known: Readonly<Record<number, Field>> = messages[message] as Record<number, Field>;
    const result: Record<string, unknown> = {};
    if (message === 'TensorProto') result.offset = this.pbf.pos;
    for (const [name, kind, repeated] of Object.values(known)) {
      result[name] = repeated ? none : kind in absent ? absent[kind as Scalar] : null;
    }
    while (this.pbf.pos < end) {
      const start = this.pbf.pos;
      const tag = this.varint(end);
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      if (tag < 8 || tag > 0xffffffff) this.fail(`${message} has the tag ${tag}, which no field has`, start);
      const field = known[number];
      if (!field) {
        this.skip(message, number, wire, end, start);
        continue;
      }
      const [name, kind, repeated] = field;
      if (!repeated) {
        result[name] = this.value(message, name, kind, wire, end);
        continue;
      }
      if (result[name] === none) result[name] = [];
      const list = result[name] as unknown[];
      if (wire === 2 && kind !== 'string' && kind in absent) this.packed(kind as Scalar, end, list as number[]);
      else list.push(this.value(message, name, kind, wire, end));
      if (kind === 'string' && list.length > caps.names) this.fail(`a node has more than ${caps.names} ${name}`);
    }
    return result;
  }

  private value(message: string, name: string, kind: Scalar | MessageName, wire: number, end: number): unknown {
    switch (kind) {
      case 'integer':
        if (wire !== 0) this.fail(`a number has the wire type ${wire}, expected 0 (varint)`);
        return this.varint(end, true);
      case 'float':
      case 'double': {
        const [size, expected] = kind === 'float' ? [4, 5] : [8, 1];
        if (wire !== expected) this.fail(`a number has the wire type ${wire}, expected ${expected}`);
        if (size > end - this.pbf.pos) this.fail('a number is truncated');
        return kind === 'float' ? this.pbf.readFloat() : this.pbf.readDouble();
      }
      case 'string': {
        const start = this.pbf.pos;
        const length = this.length(wire, end, 'a string');
        if (length > caps.string) this.fail(`a string has ${length} bytes, expected at most ${caps.string}`, start);
        this.pbf.pos = start;
        return this.pbf.readString();
      }
      case 'bytes': {
        const length = this.length(wire, end, `${message}.${name}`);
        this.pbf.pos += length;
        return this.pbf.buf.subarray(this.pbf.pos - length, this.pbf.pos);
      }
      default:
        return this.message(kind, name, wire, end);
    }
  }

  private message(kind: MessageName, name: string, wire: number, end: number): unknown {
    if (++this.messages > caps.messages) this.fail(`has more than ${caps.messages} messages`);
    if (kind === 'NodeProto' && ++this.nodes > caps.nodes) this.fail(`has more than ${caps.nodes} nodes`);
    if (this.depth >= caps.depth) this.fail(`messages are nested more than ${caps.depth} deep`);
    this.depth++;
    const length = this.length(wire, end, `${name} (${kind})`);
    const result = this.fields(kind, this.pbf.pos + length);
    this.depth--;
    return result;
  }

  private packed(kind: Scalar, end: number, into: number[]): void {
    const length = this.length(2, end, 'a list of numbers');
    const stop = this.pbf.pos + length;
    const size = { float: 4, double: 8, integer: 1, string: 1, bytes: 1 }[kind];
    if (length % size !== 0) this.fail(`a list of ${size}-byte numbers has ${length} bytes`);
    while (this.pbf.pos < stop) {
      into.push(
        kind === 'integer' ? this.varint(stop, true) : kind === 'float' ? this.pbf.readFloat() : this.pbf.readDouble(),
      );
    }
  }

  private skip(message: string, number: number, wire: number, end: number, start: number): void {
    if (wire === 0) this.varint(end);
    else if (wire === 2) {
      const length = this.length(wire, end, `field ${number} of ${message}`);
      this.pbf.pos += length;
    } else if (wire === 1 || wire === 5) {
      const size = wire === 1 ? 8 : 4;
      if (size > end - this.pbf.pos) this.fail(`field ${number} of ${message} is truncated`);
      this.pbf.pos += size;
    } else this.fail(`field ${number} of ${message} has the unknown wire type ${wire}`, start);
  }

  private length(wire: number, end: number, what: string): number {
    if (wire !== 2) this.fail(`${what} has the wire type ${wire}, expected 2 (length-delimited)`);
    const start = this.pbf.pos;
    const length = this.varint(end);
    if (length > end - this.pbf.pos) {
      this.fail(`${what} claims ${length} bytes, and ${end - this.pbf.pos} are left: truncated or damaged`, start);
    }
    return length;
  }

  private varint(end: number, signed = false): number {
    const start = this.pbf.pos;
    let value: number;
    try {
      value = this.pbf.readVarint(signed);
    } catch (error) {
      throw new ModelFormatError(this.file, `a number at byte ${start} does not end: damaged`, { cause: error });
    }
    if (this.pbf.pos > end) this.fail('a number runs past the end of its message: truncated or damaged', start);
    return value;
  }

  private fail(message: string, offset = this.pbf.pos): never {
    throw new ModelFormatError(this.file, `${message} (at byte ${offset} of ${this.pbf.length})`);
  }
}
