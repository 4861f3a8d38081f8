import { firstCharacter } from './model-files.ts';

/** What a file that is no model looks like. */
export function kindOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'is empty';
  const starts = (...values: number[]) => values.every((value, i) => bytes[i] === value);
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (starts(0x89, 0x50, 0x4e, 0x47)) return 'looks like a PNG picture';
  if (starts(0xff, 0xd8, 0xff)) return 'looks like a JPEG picture';
  if (text(0, 4) === 'GIF8') return 'looks like a GIF picture';
  if (text(0, 4) === 'RIFF') return 'looks like a WebP picture or another RIFF file';
  if (starts(0x50, 0x4b, 0x03, 0x04)) return 'looks like a ZIP archive (unpack it first)';
  if (starts(0x1f, 0x8b)) return 'looks like a gzip archive (unpack it first)';
  if (starts(0x89, 0x48, 0x44, 0x46)) return 'looks like an HDF5 file, such as Keras .h5 (convert it first)';
  if (text(0, 5) === '%PDF-') return 'looks like a PDF document';
  if (firstCharacter(bytes) === '<') return 'looks like an HTML or XML page (was the address right?)';
  if (bytes[0] === 0x0a) return 'looks like a protobuf file that is not ONNX, such as a TensorFlow .pb';
  return 'is not a known model file';
}
