import { UnsupportedOpError, UsageError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import type { ResolvedChoice } from './options.ts';

/** Whether a network runs on integers. */
export const onIntegers = ({ nodes }: Graph): boolean => nodes.some(({ op }) => op === 'integer');

/**
 * The graph that runs, of one that was loaded: on integers or on real numbers, without how its file holds it. Throws `UsageError`
 * where integers are asked for and the file holds none, or real numbers and it was saved without, `UnsupportedOpError` where it has an
 * operation that is not computed on them.
 */
export async function graphFor(graph: Graph, integers: ResolvedChoice['integers']): Promise<Graph> {
  const { quantisation, ...real } = graph;
  if (!quantisation) {
    if (onIntegers(graph) && integers === 'never') {
      throw new UsageError(
        `${graph.name} was saved on integers, without the real numbers that this asks for: load the file that it was made of`,
      );
    }
    if (integers !== 'always' || onIntegers(graph)) return graph;
    throw new UsageError(
      `precision "int8" runs quantised TensorFlow Lite and ONNX files; ${graph.name} holds its network in floats: use "auto"`,
    );
  }
  if (integers === 'never') return real;
  const { integerGraph } = await import('./passes/integers.ts');
  try {
    return integerGraph(graph);
  } catch (error) {
    if (integers === 'always' || !(error instanceof UnsupportedOpError)) throw error;
    return real;
  }
}
