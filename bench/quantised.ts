import { ByteBuffer } from 'flatbuffers';

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
