/** Model files → `Graph`. Each format's loader is a module of its own, fetched when a file of its kind is met. */
import { ModelFormatError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { type LoadGraphOptions, type ModelFiles, plainBytes } from './model-files.ts';

export type { LoadGraphOptions, ModelFiles } from './model-files.ts';

type Loader = (files: ModelFiles, options: LoadGraphOptions) => Promise<Graph>;

interface Format {
  readonly name: string;
  /** Looks at the content, never at the file's name. Must hold for damaged files too: their loader says what is wrong. */
  readonly recognises: (bytes: Uint8Array) => boolean;
  readonly loader: () => Promise<Loader>;
}

/** The length of a header below 2⁴⁰, and the header's `{`. */
export const isSafetensors = (bytes: Uint8Array): boolean =>
  bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0 && bytes[5] === 0;

/** In the order in which they are tried. */
const formats: readonly Format[] = [
  {
    name: 'safetensors',
    recognises: isSafetensors,
    loader: async () => (await import('./safetensors.ts')).loadSafetensors,
  },
  {
    name: 'TensorFlow.js graph or layers model (model.json with its shards)',
    recognises: (bytes) => firstCharacter(bytes) === '{',
    loader: async () => (await import('./tfjs.ts')).loadTfjs,
  },
  {
    name: 'TensorFlow Lite',
    recognises: (bytes) => String.fromCharCode(...bytes.subarray(4, 8)) === 'TFL3',
    loader: async () => (await import('./tflite.ts')).loadTflite,
  },
  {
    name: 'ONNX',
    // The first field of a ModelProto: the IR version or the producer.
    recognises: (bytes) => [0x08, 0x12, 0x1a].includes(bytes[0]!),
    loader: async () => (await import('./onnx.ts')).loadOnnx,
  },
];

/**
 * Reads a model of any known format, recognised by its content. Inputs and outputs keep their names; tensors are NHWC,
 * whatever the file's layout, and a vector is `[batch, 1, 1, channels]`.
 *
 * Throws `ModelFormatError` (damaged, or not a model), `UnsupportedOpError` (names the node), `UsageError` (unknown name
 * in `options`), or the signal's reason.
 */
export async function loadGraph(source: ModelFiles, options: LoadGraphOptions = {}): Promise<Graph> {
  options.signal?.throwIfAborted();
  // Its first byte is a length, which may look like the beginning of anything.
  const kind = isSafetensors(source.bytes) ? '' : knownKind(source.bytes);
  const format = kind ? undefined : formats.find(({ recognises }) => recognises(source.bytes));
  if (!format) {
    const accepted = formats.map(({ name }) => name).join(', ');
    throw new ModelFormatError(source.name, `${kind || 'is not a known model file'}; accepted formats: ${accepted}`);
  }
  const load = await format.loader();
  options.signal?.throwIfAborted();
  return load({ ...source, bytes: plainBytes(source.bytes) }, options);
}

/** What common files that are no models look like, or ''. */
function knownKind(bytes: Uint8Array): string {
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
  return '';
}

/** The first character that is not white space, skipping a byte order mark. */
function firstCharacter(bytes: Uint8Array): string {
  let i = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (i < bytes.length && [0x20, 0x09, 0x0a, 0x0d].includes(bytes[i]!)) i++;
  return i < bytes.length ? String.fromCharCode(bytes[i]!) : '';
}
