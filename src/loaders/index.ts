/** Model files → `Graph`. Each format's loader is a module of its own, fetched when a file of its kind is met. */
import { ModelFormatError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { firstCharacter, type LoadGraphOptions, type ModelFiles, plainBytes } from './model-files.ts';
import { keepFile } from './own-file.ts';

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

/** What is read beside a model of any format, where it is known to be there. */
const sidecarNames = ['labels.txt', 'config.json', 'preprocessor_config.json'];

const tensorFlowLite = 'TensorFlow Lite';

/** In the order in which they are tried. */
const formats: readonly Format[] = [
  {
    name: 'safetensors',
    recognises: isSafetensors,
    loader: async () => (await import('./safetensors/index.ts')).loadSafetensors,
  },
  {
    name: 'TensorFlow.js graph or layers model (model.json with its shards)',
    recognises: (bytes) => firstCharacter(bytes) === '{',
    loader: async () => (await import('./tfjs/index.ts')).loadTfjs,
  },
  {
    name: tensorFlowLite,
    recognises: (bytes) => String.fromCharCode(...bytes.subarray(4, 8)) === 'TFL3',
    loader: async () => (await import('./tflite/index.ts')).loadTflite,
  },
  {
    name: 'ONNX',
    // The first field of a ModelProto: the IR version or the producer.
    recognises: (bytes) => [0x08, 0x12, 0x1a].includes(bytes[0]!),
    loader: async () => (await import('./onnx/index.ts')).loadOnnx,
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
  const format = formats.find(({ recognises }) => recognises(source.bytes));
  if (!format) {
    const { kindOf } = await import('./other-files.ts');
    const accepted = formats.map(({ name }) => name).join(', ');
    throw new ModelFormatError(source.name, `${kindOf(source.bytes)}; accepted formats: ${accepted}`);
  }
  const load = await format.loader();
  options.signal?.throwIfAborted();
  const graph = await load({ ...source, bytes: plainBytes(source.bytes) }, options);
  const whole = source.beside?.some((name) => sidecarNames.includes(name))
    ? await (await import('./sidecars/beside.ts')).withSidecars(source, graph, options)
    : graph;
  if (format.name === tensorFlowLite) keepFile(whole, source.bytes);
  return whole;
}
