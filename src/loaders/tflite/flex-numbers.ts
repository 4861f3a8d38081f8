/**
 * FlexBuffers, as far as options of custom operators need them: a map of names to numbers (FlexBuffers' internals.md). The
 * package flatbuffers has a reader, which fails at maps of 64-bit values: it mixes BigInt and numbers.
 */

const [INT, UINT, FLOAT, INDIRECT_INT, INDIRECT_UINT, INDIRECT_FLOAT, MAP, BOOL] = [1, 2, 3, 6, 7, 8, 9, 26];

/** More entries, or longer names, are damage. */
const most = 1000;

/**
 * Numbers and booleans (0, 1) by name; what is something else is left out. `fail` throws. Every offset is checked, as the
 * bytes are not trusted.
 */
export function flexNumbers(bytes: Uint8Array, fail: (message: string) => never): ReadonlyMap<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const read = (at: number, width: number, type = UINT): number => {
    if (![1, 2, 4, 8].includes(width) || !(at >= 0 && at + width <= bytes.length)) {
      fail(`${width} bytes at ${at} of ${bytes.length}`);
    }
    if (type === FLOAT) {
      if (width < 4) fail(`a float of ${width} bytes`);
      return width === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
    }
    const signed = type === INT;
    if (width === 8) return Number(signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true));
    if (width === 4) return signed ? view.getInt32(at, true) : view.getUint32(at, true);
    if (width === 2) return signed ? view.getInt16(at, true) : view.getUint16(at, true);
    return signed ? view.getInt8(at) : view.getUint8(at);
  };
  /** Offsets lead back. */
  const follow = (at: number, width: number) => at - read(at, width);

  const rootWidth = read(bytes.length - 1, 1);
  const rootType = read(bytes.length - 2, 1);
  if (rootType >> 2 !== MAP) fail(`they are no map but of type ${rootType >> 2}`);
  const width = 1 << (rootType & 3);
  const values = follow(bytes.length - 2 - rootWidth, rootWidth);
  const length = read(values - width, width);
  if (length > most) fail(`${length} entries`);
  const keys = follow(values - 3 * width, width);
  const keyWidth = read(values - 2 * width, width);
  const nameAt = (from: number) => {
    let end = from;
    while (read(end, 1) !== 0) if (++end - from > most) fail(`a name of more than ${most} bytes`);
    return String.fromCharCode(...bytes.subarray(from, end));
  };
  const found = new Map<string, number>();
  for (let i = 0; i < length; i++) {
    const name = nameAt(follow(keys + i * keyWidth, keyWidth));
    const packed = read(values + length * width + i, 1);
    const [at, type] = [values + i * width, packed >> 2];
    if (type === INT || type === UINT || type === FLOAT) found.set(name, read(at, width, type));
    else if (type === BOOL) found.set(name, Number(read(at, width) !== 0));
    else if (type === INDIRECT_INT || type === INDIRECT_UINT || type === INDIRECT_FLOAT) {
      found.set(name, read(follow(at, width), 1 << (packed & 3), type - INDIRECT_INT + INT));
    }
  }
  return found;
}
