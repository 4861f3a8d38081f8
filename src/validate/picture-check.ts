/** Pictures of noise through the stages before and behind a small network, against the CPU. */
import type { Graph, ImageRule } from '../graph/graph.ts';
import { seededUniform } from '../graph/random.ts';
import { imageToTensor, type Picture } from '../images/image-to-tensor.ts';
import { operationsFor } from '../reference/operations-for.ts';
import { runGraphWith } from '../reference/run.ts';
import type { Executor, Ranking } from '../scheduler/executor.ts';

/** Some GPUs are right only the first time. */
const RUNS = 2;

/**
 * `executor` runs `graph`, a network of one input that gives a score for each of some classes. What is wrong with the tensor
 * that it makes of pictures by this rule, or with their ranking; null where nothing is.
 */
export async function wrongPictures(
  executor: Executor,
  graph: Graph,
  rule: ImageRule,
  logits: boolean | null,
): Promise<string | null> {
  const [{ name, shape }] = graph.inputs as [Graph['inputs'][number]];
  const [output] = graph.outputs as [Graph['outputs'][number]];
  const [, height, width, channels] = shape;
  const ranking: Ranking | null = logits === null ? null : { output: output.name, logits, count: 5 };
  const operations = await operationsFor(graph);
  // One that is only scaled, which a first convolution may read as it is, and one that is resampled.
  for (const [w, h] of [
    [width, height],
    [width + 7, height + 5],
  ] as const) {
    const picture = noise(w, h);
    const runs = Array.from({ length: RUNS }, () => [
      executor.runPicture(picture, rule, null),
      executor.runPicture(picture, rule, ranking),
    ]).flat();
    const tensor = imageToTensor(picture, rule, [height, width], channels);
    const expected = runGraphWith(operations, graph, { [name]: tensor })[output.name]!.data;
    // Sums of a few dozen products, and a mean of them.
    const most = 1e-4 * (1 + tensor.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0));
    const probabilities = logits ? softmax(expected) : expected;
    const sorted = [...expected].sort((a, b) => b - a);
    for (const { outputs, ranked } of await Promise.all(runs)) {
      const scores = outputs[output.name];
      const at = scores ? expected.findIndex((value, i) => !(Math.abs(scores[i]! - value) <= most)) : -1;
      if (at >= 0) return `a picture of ${w} × ${h} gives ${scores![at]} in the place of ${expected[at]}`;
      for (const [place, { index, score }] of (ranked ?? []).entries()) {
        const wanted = probabilities[index]!;
        const near = Math.abs(score - wanted) <= (logits ? 4 * most * wanted + 1e-6 : most);
        if (near && expected[index]! >= sorted[place]! - 2 * most) continue;
        return `class ${index} is ranked ${place + 1} with ${score}, expected ${wanted} for it`;
      }
    }
  }
  return null;
}

function noise(width: number, height: number): Picture {
  const random = seededUniform(width * height);
  return { width, height, data: Uint8Array.from({ length: 4 * width * height }, () => 256 * random()) };
}

function softmax(values: Float32Array): number[] {
  const largest = values.reduce((a, b) => Math.max(a, b));
  const powers = [...values].map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
