/**
 * FlatBuffers out of plain values, for files that no sound writer would write. A node that stands in several places is
 * written once, and all of them point to it.
 */
import { Builder } from 'flatbuffers';

type Scalar = readonly [type: 'byte' | 'float', value: number];
export type FlatNode =
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly longs: readonly bigint[] }
  | { readonly tables: readonly FlatNode[] }
  | FlatRecord;
/** By the index of the field; a number is an int. Null fields are left out. */
export interface FlatRecord {
  readonly fields: Readonly<Record<number, number | Scalar | FlatNode | null>>;
}

const isNode = (value: number | Scalar | FlatNode | null): value is FlatNode =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** `identifier` is that of the format, four letters. */
export function writeFlat(root: FlatRecord, identifier: string): Uint8Array {
  const builder = new Builder(1 << 16);
  const written = new Map<FlatNode, number>();

  const numbers = (bytes: number, count: number, add: (i: number) => void): number => {
    builder.startVector(bytes, count, bytes);
    for (let i = count - 1; i >= 0; i--) add(i);
    return builder.endVector();
  };
  const write = (node: FlatNode): number => {
    if ('text' in node) return builder.createString(node.text);
    if ('bytes' in node) return builder.createByteVector(node.bytes);
    if ('ints' in node) return numbers(4, node.ints.length, (i) => builder.addInt32(node.ints[i]!));
    if ('floats' in node) return numbers(4, node.floats.length, (i) => builder.addFloat32(node.floats[i]!));
    if ('longs' in node) return numbers(8, node.longs.length, (i) => builder.addInt64(node.longs[i]!));
    if ('tables' in node) {
      const offsets = node.tables.map(place);
      return numbers(4, offsets.length, (i) => builder.addOffset(offsets[i]!));
    }
    const fields = Object.entries(node.fields).map(([index, value]) => {
      return [Number(index), isNode(value) ? { offset: place(value) } : value] as const;
    });
    builder.startObject(Math.max(-1, ...fields.map(([index]) => index)) + 1);
    builder.forceDefaults(true);
    for (const [index, value] of fields) {
      if (value === null) continue;
      if (typeof value === 'number') builder.addFieldInt32(index, value, 0);
      else if ('offset' in value) builder.addFieldOffset(index, value.offset, 0);
      else if (value[0] === 'byte') builder.addFieldInt8(index, value[1], 0);
      else builder.addFieldFloat32(index, value[1], 0);
    }
    builder.forceDefaults(false);
    return builder.endObject();
  };
  const place = (node: FlatNode): number => {
    const known = written.get(node);
    if (known !== undefined) return known;
    const offset = write(node);
    written.set(node, offset);
    return offset;
  };

  builder.finish(place(root), identifier);
  return builder.asUint8Array();
}
