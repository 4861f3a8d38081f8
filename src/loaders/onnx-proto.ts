/**
 * The messages of onnx.proto3 that the loader needs, read with `pbf`. Every length is checked against the message that
 * holds it, and every trouble is a `ModelFormatError` that states the byte offset.
 */
import { PbfReader } from 'pbf';
import { ModelFormatError } from '../errors.ts';

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
  name: string;
  dims: number[];
  dataType: number;
  /** Byte offset in the file, for messages. */
  offset: number;
  raw: Uint8Array | null;
  floats: number[];
  int32s: number[];
  int64s: number[];
  doubles: number[];
  uint64s: number[];
  external: Map<string, string> | null;
}

export interface AttributeProto {
  name: string;
  float: number;
  int: number;
  string: string;
  tensor: TensorProto | null;
  graph: GraphProto | null;
  floats: number[];
  ints: number[];
}

export interface NodeProto {
  name: string;
  op: string;
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Map<string, AttributeProto>;
}

export interface ValueInfoProto {
  name: string;
  elementType: number;
  /** null where a dimension is dynamic; `dims` is null where the file gives no shape. */
  dims: (number | null)[] | null;
}

export interface GraphProto {
  nodes: NodeProto[];
  initializers: TensorProto[];
  inputs: ValueInfoProto[];
  outputs: ValueInfoProto[];
}

export interface ModelProto {
  graph: GraphProto;
  /** Version of the default operator set. */
  opset: number;
}

const maxNodes = 100_000;
const maxMessages = 2_000_000;
const maxDepth = 32;
const maxRank = 16;

/** Throws `ModelFormatError`. */
export function readModel(file: string, bytes: Uint8Array): ModelProto {
  return new OnnxReader(file, bytes).model();
}

/** What a field's reader sees: where its value starts is `pbf.pos`, and it must not read past `end`. */
type Field = (number: number, wire: number, end: number) => boolean;

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
    const model: { graph: GraphProto | null; opset: number } = { graph: null, opset: 0 };
    const end = this.pbf.length;
    this.fields('ModelProto', end, (number, wire, end) => {
      if (number === 7) {
        model.graph = this.message(wire, end, 'graph', (end) => this.graph(end));
      } else if (number === 8) {
        const { domain, version } = this.message(wire, end, 'opset_import', (end) => this.opset(end));
        if (domain === '' || domain === 'ai.onnx') model.opset = version;
      } else return false;
      return true;
    });
    const { graph, opset } = model;
    if (!graph) return this.fail('has no graph: it is truncated, or not an ONNX model', end);
    if (opset === 0) this.fail('states no version of the ONNX operators (opset_import): it is truncated', end);
    return { graph, opset };
  }

  private opset(end: number): { domain: string; version: number } {
    const opset = { domain: '', version: 0 };
    this.fields('OperatorSetIdProto', end, (number, wire, end) => {
      if (number === 1) opset.domain = this.string(wire, end);
      else if (number === 2) opset.version = this.integer(wire, end);
      else return false;
      return true;
    });
    return opset;
  }

  private graph(end: number): GraphProto {
    const graph: GraphProto = { nodes: [], initializers: [], inputs: [], outputs: [] };
    this.fields('GraphProto', end, (number, wire, end) => {
      switch (number) {
        case 1:
          if (++this.nodes > maxNodes) this.fail(`has more than ${maxNodes} nodes`);
          graph.nodes.push(this.message(wire, end, 'node', (end) => this.node(end)));
          return true;
        case 5:
          graph.initializers.push(this.message(wire, end, 'initializer', (end) => this.tensor(end)));
          return true;
        case 11:
          graph.inputs.push(this.message(wire, end, 'input', (end) => this.valueInfo(end)));
          return true;
        case 12:
          graph.outputs.push(this.message(wire, end, 'output', (end) => this.valueInfo(end)));
          return true;
        default:
          return false;
      }
    });
    return graph;
  }

  private node(end: number): NodeProto {
    const node: NodeProto = { name: '', op: '', domain: '', inputs: [], outputs: [], attributes: new Map() };
    this.fields('NodeProto', end, (number, wire, end) => {
      switch (number) {
        case 1:
          node.inputs.push(this.string(wire, end));
          return true;
        case 2:
          node.outputs.push(this.string(wire, end));
          return true;
        case 3:
          node.name = this.string(wire, end);
          return true;
        case 4:
          node.op = this.string(wire, end);
          return true;
        case 5: {
          const attribute = this.message(wire, end, 'attribute', (end) => this.attribute(end));
          node.attributes.set(attribute.name, attribute);
          return true;
        }
        case 7:
          node.domain = this.string(wire, end);
          return true;
        default:
          return false;
      }
    });
    return node;
  }

  private attribute(end: number): AttributeProto {
    const attribute: AttributeProto = {
      name: '',
      float: 0,
      int: 0,
      string: '',
      tensor: null,
      graph: null,
      floats: [],
      ints: [],
    };
    this.fields('AttributeProto', end, (number, wire, end) => {
      switch (number) {
        case 1:
          attribute.name = this.string(wire, end);
          return true;
        case 2:
          attribute.float = this.fixed(wire, end, 4);
          return true;
        case 3:
          attribute.int = this.integer(wire, end);
          return true;
        case 4:
          attribute.string = this.string(wire, end);
          return true;
        case 5:
          attribute.tensor = this.message(wire, end, 'tensor', (end) => this.tensor(end));
          return true;
        case 6:
          attribute.graph = this.message(wire, end, 'graph', (end) => this.graph(end));
          return true;
        case 7:
          this.fixeds(wire, end, 4, attribute.floats);
          return true;
        case 8:
          this.integers(wire, end, attribute.ints);
          return true;
        default:
          return false;
      }
    });
    return attribute;
  }

  private tensor(end: number): TensorProto {
    const tensor: TensorProto = {
      name: '',
      dims: [],
      dataType: 0,
      offset: this.pbf.pos,
      raw: null,
      floats: [],
      int32s: [],
      int64s: [],
      doubles: [],
      uint64s: [],
      external: null,
    };
    let elsewhere = false;
    this.fields('TensorProto', end, (number, wire, end) => {
      switch (number) {
        case 1:
          this.integers(wire, end, tensor.dims);
          if (tensor.dims.length > maxRank) this.fail(`tensor "${tensor.name}" has more than ${maxRank} dimensions`);
          return true;
        case 2:
          tensor.dataType = this.integer(wire, end);
          return true;
        case 4:
          this.fixeds(wire, end, 4, tensor.floats);
          return true;
        case 5:
          this.integers(wire, end, tensor.int32s);
          return true;
        case 7:
          this.integers(wire, end, tensor.int64s);
          return true;
        case 8:
          tensor.name = this.string(wire, end);
          return true;
        case 9: {
          const length = this.length(wire, end, 'raw_data');
          tensor.raw = this.pbf.buf.subarray(this.pbf.pos, this.pbf.pos + length);
          this.pbf.pos += length;
          return true;
        }
        case 10:
          this.fixeds(wire, end, 8, tensor.doubles);
          return true;
        case 11:
          this.integers(wire, end, tensor.uint64s);
          return true;
        case 13: {
          const [key, value] = this.message(wire, end, 'external_data', (end) => this.entry(end));
          tensor.external ??= new Map();
          tensor.external.set(key, value);
          return true;
        }
        case 14:
          elsewhere = this.integer(wire, end) === 1;
          return true;
        default:
          return false;
      }
    });
    if (elsewhere) tensor.external ??= new Map();
    else tensor.external = null;
    return tensor;
  }

  private entry(end: number): [string, string] {
    const entry: [string, string] = ['', ''];
    this.fields('StringStringEntryProto', end, (number, wire, end) => {
      if (number !== 1 && number !== 2) return false;
      entry[number - 1] = this.string(wire, end);
      return true;
    });
    return entry;
  }

  private valueInfo(end: number): ValueInfoProto {
    const value: ValueInfoProto = { name: '', elementType: 0, dims: null };
    this.fields('ValueInfoProto', end, (number, wire, end) => {
      if (number === 1) value.name = this.string(wire, end);
      else if (number === 2) this.message(wire, end, 'type', (end) => this.type(end, value));
      else return false;
      return true;
    });
    return value;
  }

  private type(end: number, value: ValueInfoProto): void {
    this.fields('TypeProto', end, (number, wire, end) => {
      if (number !== 1) return false;
      this.message(wire, end, 'tensor_type', (end) =>
        this.fields('TypeProto.Tensor', end, (number, wire, end) => {
          if (number === 1) value.elementType = this.integer(wire, end);
          else if (number === 2) {
            value.dims = [];
            this.message(wire, end, 'shape', (end) => this.shape(end, value.dims!));
          } else return false;
          return true;
        }),
      );
      return true;
    });
  }

  private shape(end: number, dims: (number | null)[]): void {
    this.fields('TensorShapeProto', end, (number, wire, end) => {
      if (number !== 1) return false;
      if (dims.length >= maxRank) this.fail(`a shape has more than ${maxRank} dimensions`);
      let dim: number | null = null;
      this.message(wire, end, 'dim', (end) =>
        this.fields('Dimension', end, (number, wire, end) => {
          if (number !== 1) return false;
          const value = this.integer(wire, end);
          dim = value > 0 ? value : null;
          return true;
        }),
      );
      dims.push(dim);
      return true;
    });
  }

  /** Reads fields up to `end`; `field` answers false for those that it does not read, and they are skipped. */
  private fields(message: string, end: number, field: Field): void {
    while (this.pbf.pos < end) {
      const start = this.pbf.pos;
      const tag = this.varint(end);
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      if (tag < 8 || tag > 0xffffffff) this.fail(`${message} has the tag ${tag}, which no field has`, start);
      if (!field(number, wire, end)) this.skip(message, number, wire, end, start);
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

  private message<T>(wire: number, end: number, what: string, read: (end: number) => T): T {
    if (++this.messages > maxMessages) this.fail(`has more than ${maxMessages} messages`);
    if (this.depth >= maxDepth) this.fail(`messages are nested more than ${maxDepth} deep`);
    this.depth++;
    const length = this.length(wire, end, what);
    const result = read(this.pbf.pos + length);
    this.depth--;
    return result;
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

  private string(wire: number, end: number): string {
    const start = this.pbf.pos;
    this.length(wire, end, 'a string');
    this.pbf.pos = start;
    return this.pbf.readString();
  }

  private integer(wire: number, end: number): number {
    if (wire !== 0) this.fail(`a number has the wire type ${wire}, expected 0 (varint)`);
    return this.varint(end, true);
  }

  /** Packed or not. */
  private integers(wire: number, end: number, into: number[]): void {
    if (wire !== 2) {
      into.push(this.integer(wire, end));
      return;
    }
    const stop = this.length(wire, end, 'a list of numbers') + this.pbf.pos;
    while (this.pbf.pos < stop) into.push(this.varint(stop, true));
  }

  private fixed(wire: number, end: number, size: 4 | 8): number {
    const expected = size === 4 ? 5 : 1;
    if (wire !== expected) this.fail(`a number has the wire type ${wire}, expected ${expected}`);
    if (size > end - this.pbf.pos) this.fail('a number is truncated');
    return size === 4 ? this.pbf.readFloat() : this.pbf.readDouble();
  }

  private fixeds(wire: number, end: number, size: 4 | 8, into: number[]): void {
    if (wire !== 2) {
      into.push(this.fixed(wire, end, size));
      return;
    }
    const length = this.length(wire, end, 'a list of numbers');
    if (length % size !== 0) this.fail(`a list of ${size}-byte numbers has ${length} bytes`);
    const stop = this.pbf.pos + length;
    while (this.pbf.pos < stop) into.push(size === 4 ? this.pbf.readFloat() : this.pbf.readDouble());
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
