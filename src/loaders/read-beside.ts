/** Files beside a model, which some formats have. */
import { MobileNetError, ModelFormatError } from '../errors.ts';
import { type ModelFiles, plainBytes } from './model-files.ts';

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
