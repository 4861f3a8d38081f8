/** A file with an archive appended, as TensorFlow Lite's metadata writer does it. */
export function withArchive(model: Uint8Array, archive: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(model.length + archive.length);
  bytes.set(model);
  bytes.set(archive, model.length);
  // As in a file that is written in one go, offsets count from the file's beginning.
  const view = new DataView(bytes.buffer);
  for (let i = model.length; i + 4 <= bytes.length; i++) {
    const signature = view.getUint32(i, true);
    const at = signature === 0x02014b50 ? i + 42 : signature === 0x06054b50 ? i + 16 : 0;
    if (at) view.setUint32(at, view.getUint32(at, true) + model.length, true);
  }
  return bytes;
}
