import { parseJson } from '../core/json.ts';
import type { ModelFiles } from '../model-files.ts';

/**
 * A JSON file beside the model; undefined where there is none. A page in its place counts as none: servers of single-page
 * applications answer with theirs. Throws `ModelFormatError` where it is no sound JSON, or the signal's reason.
 */
export async function jsonBeside(files: ModelFiles, name: string, signal: AbortSignal | undefined): Promise<unknown> {
  if (!files.read) return undefined;
  const { readBeside } = await import('../read-beside.ts');
  let bytes: Uint8Array;
  try {
    bytes = await readBeside(files, name, signal);
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
  return /^\s*</.test(new TextDecoder().decode(bytes.subarray(0, 256))) ? undefined : parseJson(name, bytes);
}
