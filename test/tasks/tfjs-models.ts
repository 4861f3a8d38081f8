/** Two whole networks, run here and by TensorFlow.js. */
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { zoo, zooFiles, zooOracle } from '../models/zoo.ts';
import { normalisedMeanSquareError } from '../support/oracles.ts';

/**
 * Runs the model whose file's name is `file` on `pixels` (0 … 255, NHWC). `found`: of our loader and the CPU reference;
 * `expected`: of TensorFlow.js, what it decodes from the outputs too; `errors`: normalised mean square errors.
 */
export async function runBoth(file: string, pixels: Float32Array) {
  const model = zoo.find((candidate) => candidate.file.endsWith(`/${file}.json`))!;
  const graph = await loadGraph(await zooFiles(model));
  const oracle = await zooOracle(model, pixels);
  const results = runGraph(graph, { [model.input.name]: pixels });
  const data = (tensors: Readonly<Record<string, { readonly data: Float32Array }>>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.data]));
  const [found, expected] = [data(results), data(oracle)];
  const errors = model.outputs.map((name) => [name, normalisedMeanSquareError(found[name]!, expected[name]!)] as const);
  return { found, expected, errors };
}
