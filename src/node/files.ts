import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { ModelFormatError } from '../errors.ts';
import type { ModelFiles } from '../loaders/index.ts';
import { oneModelOf } from '../loaders/model-among.ts';
import { splitQuery } from '../loaders/read-beside.ts';

/**
 * The model file at `path`, or the only one in the folder there, and what lies in its folder. Throws `ModelFormatError`,
 * `UsageError` where a folder holds none, or several.
 */
export async function modelFilesAt(path: string): Promise<ModelFiles> {
  const within = await readdir(path).catch(() => null);
  if (within) return modelFilesAt(join(path, oneModelOf(within, `in ${path}`)));
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'there is no such file, and it is no architecture id such as v2-1.0-224' : String(error);
    throw new ModelFormatError(path, why);
  }
  return {
    name: basename(path),
    bytes: new Uint8Array(bytes),
    read: (beside) => readInside(dirname(path), beside),
    beside: await readdir(dirname(path)).catch(() => []),
  };
}

/** The file at `path` in `folder`. A link that leads out of the folder is refused: a model says which files are read. */
async function readInside(folder: string, path: string): Promise<Uint8Array> {
  const [root, file] = await Promise.all([realpath(folder), realpath(join(folder, splitQuery(path)[0]))]);
  if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new ModelFormatError(path, `is a link out of the model's folder, to ${file}; put the file itself there`);
  }
  return new Uint8Array(await readFile(file));
}
