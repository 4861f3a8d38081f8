import { readFile } from 'node:fs/promises';
import { UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { LoadGraphOptions } from '../loaders/index.ts';
import { catalogue, isArchitectureId, readGraph } from '../node/index.ts';
import type { Io } from './io.ts';
import { cachedModel } from './model-cache.ts';

/** The graph of a MODEL argument: an architecture id, a name of the catalogue, or a file with what lies beside it. */
export async function readModel(
  argument: string,
  options: Pick<LoadGraphOptions, 'inputShapes'> = {},
  io?: Io,
): Promise<Graph> {
  if (isArchitectureId(argument) && options.inputShapes) {
    throw new UsageError(`--input-shape sizes a file's inputs; ${argument} is no file`);
  }
  const entry = io && (await catalogue()).find(({ id }) => id === argument);
  if (!entry) return readGraph(argument, options);
  const bytes = await readFile(await cachedModel(entry, io));
  return readGraph(argument, { ...options, cache: 'off', fetch: async () => new Response(bytes) });
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

/** The one MODEL among a command's arguments. Throws `UsageError`. */
export function oneModel([model, ...rest]: readonly string[]): string {
  if (!model || rest.length > 0) throw new UsageError('expected one MODEL');
  return model;
}
