/** A TensorFlow Lite file cut at tensors of its network, as a runtime takes it. */
import { Builder, type ByteBuffer } from 'flatbuffers';
import { FlatTable } from '../../src/loaders/tflite/flat-table.ts';
import { readTensor } from '../../src/loaders/tflite/tensors.ts';
import { fieldOf, follow, rootOf, subgraphOf } from './tflite-writer.ts';

/** Tensors of a file that it computes and holds as integers of 8 bits, and the operator that writes each. */
export function integerTensors(bytes: Uint8Array) {
  const root = FlatTable.root('file', bytes);
  const buffers = root.tables(4, 10_000, 'buffers');
  const subgraph = root.tables(2, 1, 'subgraphs')[0]!;
  const tensors = subgraph.tables(0, 10_000, 'tensors').map((table, i) => readTensor('file', table, i, buffers));
  const codes = root.tables(1, 1000, 'codes').map((code) => Math.max(code.byte(0), code.int(3)));
  return subgraph.tables(3, 10_000, 'operators').flatMap((operator, place) =>
    operator.ints(2, 100, 'outputs').flatMap((index) => {
      const { name, type, quantisation } = tensors[index]!;
      return quantisation && /INT8$/.test(type)
        ? [{ name, type, index, place, operator: codes[operator.int(0)]! }]
        : [];
    }),
  );
}

/**
 * The file with these tensors as its outputs, and its operators up to the last of those that write them. Tensors of int8, which
 * LiteRT.js does not take, are followed by a DEQUANTIZE each: real numbers, from which integers are recovered exactly.
 */
export function cutAt(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const own = integerTensors(bytes);
  const heads = names.map((name) => own.find((tensor) => tensor.name === name)!);
  const length = Math.ceil(bytes.length / 16) * 16;
  const builder = new Builder(length + 65_536);
  // Old tables lie at the end of what is written, so that new ones can point to them.
  builder.prep(16, length);
  const inside = builder as unknown as { bb: ByteBuffer; space: number };
  inside.space -= length;
  inside.bb.bytes().set(bytes, inside.space);
  const view = new DataView(bytes.slice().buffer);
  const old = (position: number) => length - position;
  const elements = (vector: number) =>
    Array.from({ length: view.getUint32(vector, true) }, (_, i) => follow(view, vector + 4 + 4 * i));
  const [root, subgraph] = [rootOf(view), subgraphOf(view)];
  const vectorAt = (table: number, field: number) => follow(view, fieldOf(view, table, field));
  const table = (...fields: ((builder: Builder) => void)[]) => {
    builder.startObject(fields.length);
    for (const field of fields) field(builder);
    return builder.endObject();
  };
  const offset = (index: number, value: number) => () => builder.addFieldOffset(index, value, 0);
  const int = (index: number, value: number) => () => builder.addFieldInt32(index, value, 0);
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
  const codes = elements(vectorAt(root, 1)).map(old);
  const tensors = elements(vectorAt(subgraph, 0)).map(old);
  const last = Math.max(...heads.map(({ place }) => place));
  const operators = elements(vectorAt(subgraph, 3))
    .slice(0, last + 1)
    .map(old);
  const code = codes.length;
  codes.push(table((b) => b.addFieldInt8(0, 6, 0), none, int(2, 2), int(3, 6)));
  const outputs = heads.map(({ index, type, name }) => {
    if (type === 'UINT8') return index;
    const shape = old(vectorAt(elements(vectorAt(subgraph, 0))[index]!, 0));
    const label = builder.createString(`${name}/real`);
    const real = tensors.push(table(offset(0, shape), none, int(2, 0), offset(3, label))) - 1;
    const [from, to] = [ints([index]), ints([real])];
    operators.push(table(int(0, code), offset(1, from), offset(2, to)));
    return real;
  });
  const cut = table(
    offset(0, offsets(tensors)),
    offset(1, old(vectorAt(subgraph, 1))),
    offset(2, ints(outputs)),
    offset(3, offsets(operators)),
  );
  const model = table(
    int(0, 3),
    offset(1, offsets(codes)),
    offset(2, offsets([cut])),
    none,
    offset(4, old(vectorAt(root, 4))),
  );
  builder.finish(model, 'TFL3');
  return builder.asUint8Array();
}
