import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buildArchitecture, isArchitectureId } from '../architectures/index.ts';
import { ModelFormatError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { loadGraph } from '../loaders/index.ts';
import type { Io } from './io.ts';

/** The graph of a MODEL argument: an architecture id, or a file with what lies beside it. */
export async function readModel(argument: string): Promise<Graph> {
  if (isArchitectureId(argument)) return buildArchitecture(argument);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(argument);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'there is no such file, and it is no architecture id such as v2-1.0-224' : String(error);
    throw new ModelFormatError(argument, why);
  }
  return loadGraph({
    name: basename(argument),
    bytes: new Uint8Array(bytes),
    read: async (path) => new Uint8Array(await readFile(join(dirname(argument), path))),
  });
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
