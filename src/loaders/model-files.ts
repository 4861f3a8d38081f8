import { MobileNetError, ModelFormatError } from '../errors.ts';

/** A model file and a way to the files beside it. */
export interface ModelFiles {
  /** File name, used in messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * Reads a file beside the model: a weight shard, external data. `path` is relative and stays in the model's folder:
   * absolute paths, addresses and paths that climb are refused before this is called. A query may follow it
   * (`splitQuery`), which means nothing to a file system.
   */
  readonly read?: (path: string) => Promise<Uint8Array>;
  /** Names of the files beside it, where that is known. */
  readonly beside?: readonly string[];
}

export interface LoadGraphOptions {
  /** Cut the graph at these tensors or nodes, by their names in the file. Default: the file's own outputs. */
  readonly outputs?: readonly string[];
  /** Sizes of inputs, in the file's own order of dimensions (NCHW in most ONNX files). Default: a dynamic batch is 1. */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
  /** Keep how a quantised file holds its network as integers, `Graph.quantisation`. Default: false. */
  readonly quantisation?: boolean;
  readonly signal?: AbortSignal;
}

/** The same bytes without a subclass: Node's `Buffer` has a `slice` of its own, which does not copy. */
export const plainBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);

/** The first character that is not white space, skipping a byte order mark. */
export function firstCharacter(bytes: Uint8Array): string {
  let i = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (i < bytes.length && [0x20, 0x09, 0x0a, 0x0d].includes(bytes[i]!)) i++;
  return i < bytes.length ? String.fromCharCode(bytes[i]!) : '';
}

/** Reads the file at `path` beside the model. Throws `ModelFormatError` where the path is refused or nothing is there. */
export async function readBeside(files: ModelFiles, path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const trouble = pathTrouble(path);
  if (trouble) {
    throw new ModelFormatError(
      files.name,
      `names the file ${JSON.stringify(path)}, which ${trouble}; expected a file in the model's own folder`,
    );
  }
  if (!files.read) {
    throw new ModelFormatError(files.name, `needs the file "${path}" beside it, and no other file was given`);
  }
  signal?.throwIfAborted();
  try {
    return plainBytes(await files.read(path));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof MobileNetError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelFormatError(files.name, `needs the file "${path}", which could not be read: ${reason}`, {
      cause: error,
    });
  }
}

/** `shard.bin?token=1` → `shard.bin` and `?token=1`. */
export function splitQuery(path: string): [path: string, query: string] {
  const at = path.indexOf('?');
  return at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at)];
}

/** What is wrong with a path, or '' for a plain relative one. Reads it as a file system and as an address would. */
function pathTrouble(stated: string): string {
  if (stated.length > 4096) return 'is longer than 4096 characters';
  const [path, query] = splitQuery(stated);
  if (path.trim() === '') return 'is empty';
  // An address parser drops tabs and line breaks, and trims spaces, before it looks for a scheme or a host.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(stated) || stated !== stated.trim()) return 'has control characters or outer spaces';
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) return 'is an address or has a drive letter';
  if (/^[/\\]/.test(path)) return 'is absolute';
  if (path.includes('#') || query.includes('#')) return 'has a fragment';
  const segments = path
    .replace(/%2e/gi, '.')
    .replace(/%(2f|5c)/gi, '/')
    .split(/[/\\]/);
  if (segments.includes('..')) return 'climbs out of the folder';
  return '';
}
