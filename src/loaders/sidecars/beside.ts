/** Labels and picture rules from files that lie beside a model of any format. */
import { MobileNetError } from '../../errors.ts';
import { classesOf } from '../../graph/classes.ts';
import type { Graph } from '../../graph/graph.ts';
import type { LoadGraphOptions, ModelFiles } from '../model-files.ts';
import { readBeside } from '../read-beside.ts';
import { classNames, pictureRule } from './config.ts';
import { jsonBeside } from './json-beside.ts';
import { alignLabels, linesOf } from './labels.ts';

/**
 * The graph with what labels.txt, config.json and preprocessor_config.json beside it tell of its classes and its pictures,
 * where the model's own file does not. What is damaged or does not fit the network is not used, and the graph says so.
 */
export async function withSidecars(files: ModelFiles, graph: Graph, { signal }: LoadGraphOptions): Promise<Graph> {
  const has = (name: string) => files.beside!.includes(name);
  const said: string[] = [];
  const json = async (name: string): Promise<unknown> => {
    try {
      return has(name) ? await jsonBeside(files, name, signal) : null;
    } catch (error) {
      if (!(error instanceof MobileNetError)) throw error;
      said.push(`${error.message}: it is not used`);
      return null;
    }
  };
  const [config, preprocessor] = [await json('config.json'), await json('preprocessor_config.json')];
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
