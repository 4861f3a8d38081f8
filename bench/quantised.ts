import { ByteBuffer } from 'flatbuffers';
import { endsOf, type FileEnds } from '../src/cpu/file-ends.ts';
import { UnsupportedOpError } from '../src/errors.ts';
import { inferShapes } from '../src/graph/shapes.ts';
import { type Graph, seededInputs } from '../src/index.ts';
import { integerGraph } from '../src/passes/integers.ts';
import { dequantise, quantise } from '../src/reference/integers.ts';

/** TensorType of TensorFlow's schema.fbs: whole numbers that stand for real ones. */
const quantisedTypes: readonly number[] = [3 /* UINT8 */, 7 /* INT16 */, 9 /* INT8 */, 17 /* INT4 */];

/**
 * Whether a TensorFlow Lite file has quantised tensors. TensorFlow Lite and this engine compute those with whole numbers,
 * the other peers with the real numbers that they stand for: outputs differ by design. For bytes that the loader took: no offset is
 * checked again.
 */
export function hasQuantisedTensors(bytes: Uint8Array): boolean {
  const buffer = new ByteBuffer(bytes);
  const tables = (table: number, field: number): number[] => {
    const offset = buffer.__offset(table, 4 + 2 * field);
    if (offset === 0) return [];
    const start = buffer.__vector(table + offset);
    const length = buffer.__vector_len(table + offset);
    return Array.from({ length }, (_, i) => buffer.__indirect(start + 4 * i));
  };
  const typeOf = (tensor: number): number => {
    const offset = buffer.__offset(tensor, 6);
    return offset === 0 ? 0 : buffer.readInt8(tensor + offset);
  };
  // Model.subgraphs, SubGraph.tensors.
  return tables(buffer.__indirect(0), 2).some((subgraph) =>
    tables(subgraph, 0).some((tensor) => quantisedTypes.includes(typeOf(tensor))),
  );
}

/** The network on integers; null where its file has none, or operations that are not computed on them. */
export function integersOf(graph: Graph): Graph | null {
  if (!graph.quantisation) return null;
  try {
    return integerGraph(graph);
  } catch (error) {
    if (error instanceof UnsupportedOpError) return null;
    throw error;
  }
}

/** How the inputs and outputs of a TensorFlow Lite file on integers are stored; null where they are not those of the graph. */
export const storedEnds = (graph: Graph, bytes: Uint8Array): Promise<FileEnds | null> =>
  endsOf(graph, inferShapes(graph), bytes);

/** Inputs that every engine is given; those of a network on integers are numbers that its input holds. */
export function benchInputs(graph: Graph, integers: Graph | null): Record<string, Float32Array> {
  const inputs = seededInputs(graph);
  for (const {
    op,
    inputs: [input],
    ...node
  } of integers?.nodes ?? []) {
    const body = op === 'integer' && 'body' in node ? node.body : null;
    const values = inputs[input!];
    if (body?.kind === 'quantise' && values) inputs[input!] = values.map((x) => dequantise(quantise(x, body), body));
  }
  return inputs;
}
