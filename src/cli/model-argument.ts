import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { buildArchitecture, isArchitectureId } from '../architectures/index.ts';
import { ModelFormatError, UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { type LoadGraphOptions, loadGraph } from '../loaders/index.ts';
import type { Io } from './io.ts';

/** The graph of a MODEL argument: an architecture id, or a file with what lies beside it. */
export async function readModel(argument: string, options: Pick<LoadGraphOptions, 'inputShapes'> = {}): Promise<Graph> {
  if (isArchitectureId(argument)) {
    if (options.inputShapes) throw new UsageError(`--input-shape sizes a file's inputs; ${argument} is no file`);
    return buildArchitecture(argument);
  }
  let bytes: Uint8Array;
  try {
    bytes = await readFile(argument);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'there is no such file, and it is no architecture id such as v2-1.0-224' : String(error);
    throw new ModelFormatError(argument, why);
  }
  const files = {
    name: basename(argument),
    bytes: new Uint8Array(bytes),
    read: (path: string) => readInside(dirname(argument), path),
  };
  return loadGraph(files, options);
}

/** The file at `path` in `folder`. A link that leads out of the folder is refused: a model says which files are read. */
async function readInside(folder: string, path: string): Promise<Uint8Array> {
  const [root, file] = await Promise.all([realpath(folder), realpath(join(folder, path))]);
  if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new ModelFormatError(path, `is a link out of the model's folder, to ${file}; put the file itself there`);
  }
  return new Uint8Array(await readFile(file));
}

/** The help of `--input-shape`. */
export const inputShapeHelp = `--input-shape gives an input the size that a file leaves open, in the file's own order: x=1,3,224,224.`;

/** The values of `--input-shape NAME=N,C,H,W`, which may be given once an input. */
export function inputShapesOf(values: readonly string[] | undefined): Pick<LoadGraphOptions, 'inputShapes'> {
  if (!values) return {};
  const entries = values.map((value): [string, number[]] => {
    const [, name, list] = /^(.+)=(\d+(?:,\d+)*)$/.exec(value) ?? [];
    if (!name || !list) throw new UsageError(`--input-shape is "${value}", expected a name and sizes, x=1,3,224,224`);
    return [name, list.split(',').map(Number)];
  });
  return { inputShapes: Object.fromEntries(entries) };
}

/** Parses arguments; what is wrong with them goes to standard error with the help, and null comes back. */
export function usage<T>(io: Io, help: string, parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    io.stderr.write(`${(error as Error).message}\n\n${help}\n`);
    return null;
  }
}
