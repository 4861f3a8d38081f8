/** Two whole networks of a package, run here and by TensorFlow.js. */
import { readFile } from 'node:fs/promises';
import type { Graph } from '../../src/graph/graph.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { normalisedMeanSquareError, tensorflowOutputs } from '../support/oracles.ts';

const folder = 'node_modules/@vladmandic/human/models';

export interface BothSides {
  readonly graph: Graph;
  /** Of our loader and the CPU reference. */
  readonly found: Readonly<Record<string, Float32Array>>;
  /** Of TensorFlow.js: the graph's outputs and `tail`. */
  readonly expected: Readonly<Record<string, Float32Array>>;
  /** Normalised mean square error of each output of the graph. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Runs `file` on `pixels` (0 … 255, NHWC), and in TensorFlow.js its decoding `tail` too. */
export async function runBoth(file: string, pixels: Float32Array, tail: string, dtype: 'float32' | 'int32') {
  const bytes = await readFile(`${folder}/${file}.json`);
  const graph = await loadGraph({ name: `${file}.json`, bytes, read: (path) => readFile(`${folder}/${path}`) });
  const { name, shape } = graph.inputs[0]!;
  const names = graph.outputs.map((output) => output.name);
  const oracle = await tensorflowOutputs(
    JSON.parse(bytes.toString()),
    await readFile(`${folder}/${file}.bin`),
    { [name]: { dims: shape, data: pixels, dtype } },
    [...names, tail],
  );
  const results = runGraph(graph, { [name]: pixels });
  const found = Object.fromEntries(names.map((output) => [output, results[output]!.data]));
  const expected = Object.fromEntries(Object.entries(oracle).map(([output, { data }]) => [output, data]));
  const errors = Object.fromEntries(
    names.map((output) => [output, normalisedMeanSquareError(found[output]!, expected[output]!)]),
  );
  return { graph, found, expected, errors } satisfies BothSides;
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
