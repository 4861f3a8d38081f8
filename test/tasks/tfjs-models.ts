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

/** A scene of soft blobs on a gradient, always the same for a seed: `[1, size, size, 3]`, whole numbers 0 … 255. */
export function paintedScene(size: number, seeds: Float32Array): Float32Array {
  const pixels = new Float32Array(size * size * 3);
  for (let i = 0; i < pixels.length; i++) {
    const [y, x, c] = [Math.floor(i / 3 / size) / size, (Math.floor(i / 3) % size) / size, i % 3];
    let value = 60 + 80 * (c === 0 ? y : c === 1 ? x : 1 - y);
    for (let blob = 0; blob + 3 < seeds.length; blob += 4) {
      const distance = Math.hypot(y - seeds[blob]!, x - seeds[blob + 1]!) / (0.05 + 0.15 * seeds[blob + 2]!);
      value += (seeds[blob + 3]! - 0.5) * 300 * Math.exp(-(distance ** (2 + c)));
    }
    pixels[i] = Math.floor(Math.min(255, Math.max(0, value)));
  }
  return pixels;
}
