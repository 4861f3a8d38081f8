/** Labels and picture rules from files that lie beside a model of any format. */
import { MobileNetError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { inferShapes } from '../../graph/shapes.ts';
import { type LoadGraphOptions, type ModelFiles, readBeside } from '../model-files.ts';
import { classNames, pictureRule } from './config.ts';
import { jsonBeside } from './json-beside.ts';
import { alignLabels, linesOf } from './labels.ts';

/**
 * The graph with what labels.txt, config.json and preprocessor_config.json beside it tell of its classes and its pictures,
 * where the model's own file does not. What does not fit the network is not used, and the graph says so. Throws
 * `ModelFormatError` where such a file is no sound JSON.
 */
export async function withSidecars(files: ModelFiles, graph: Graph, { signal }: LoadGraphOptions): Promise<Graph> {
  const has = (name: string) => files.beside!.includes(name);
  const said: string[] = [];
  const [config, preprocessor] = await Promise.all(
    ['config.json', 'preprocessor_config.json'].map((name) => (has(name) ? jsonBeside(files, name, signal) : null)),
  );
  const classes = classesOf(graph);
  let labels = graph.labels;
  const take = (names: readonly string[], file: string) => {
    try {
      labels = alignLabels(names, classes!, file, (message) => said.push(message));
    } catch (error) {
      if (!(error instanceof MobileNetError)) throw error;
      said.push(`${error.message}: it is not used`);
    }
  };
  if (!labels && classes !== null) {
    if (has('labels.txt')) {
      take(linesOf(new TextDecoder().decode(await readBeside(files, 'labels.txt', signal))), 'labels.txt');
    }
    const names = labels ? undefined : classNames(config);
    if (names) take(names, 'config.json');
  }
  const channels = graph.inputs.length === 1 ? graph.inputs[0]!.shape[3] : 0;
  const image = graph.image ?? (channels === 3 ? (pictureRule(preprocessor) ?? pictureRule(config)) : undefined);
  return {
    ...graph,
    ...(labels ? { labels } : {}),
    ...(image ? { image } : {}),
    ...(said.length > 0 ? { assumptions: [...(graph.assumptions ?? []), ...said] } : {}),
  };
}

/** Classes of a network that ends in one vector; null where it ends otherwise. */
export function classesOf(graph: Graph): number | null {
  const [output, ...others] = graph.outputs;
  const shape = output && others.length === 0 ? inferShapes(graph).get(output.tensor)! : null;
  return shape && shape[1] === 1 && shape[2] === 1 ? shape[3] : null;
}
