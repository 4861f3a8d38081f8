/** What stands before and behind a plan when a picture is classified, against the CPU. */
import type { Graph, ImageRule } from '../graph/graph.ts';
import { coloursOf, plainImage } from '../graph/image-rule.ts';
import type { Quantise } from '../graph/integers.ts';
import type { Node } from '../graph/ops.ts';
import { withMeanings } from '../graph/output-meaning.ts';
import { seededUniform } from '../graph/random.ts';
import { imageBound } from '../images/image-bound.ts';
import { imageToTensor, type Picture } from '../images/image-to-tensor.ts';
import type { Tensor } from '../reference/index.ts';
import { quantise } from '../reference/integers.ts';
import type { Executor, Ranking } from '../scheduler/executor.ts';
import { poison } from '../scheduler/poison.ts';
import { type Bounded, exact, runWithBound, runWithErrors, type StorageOptions } from './bounds.ts';
import { checkBounds, type LayerReport } from './check-bounds.ts';

/** For graphs that carry no rule: the whole picture squashed, pixels to [−1, 1]. */
const plainRule = (channels: number): ImageRule => ({
  ...plainImage,
  channels: coloursOf(channels),
  scale: [1 / 127.5],
  offset: [-1],
});

/** How a picture becomes the only input of a graph; null where that is none. */
function ruleOf({ inputs, image }: Graph): ImageRule | null {
  const [input, ...others] = inputs;
  if (!input || others.length > 0) return null;
  const [images, height, width, channels] = input.shape;
  const suits = image ? channels === (image.channels === 'grey' ? 1 : 3) : channels === 3 || channels === 1;
  return images === 1 && height > 1 && width > 1 && suits ? (image ?? plainRule(channels)) : null;
}

/** The ranking of the only output that holds scores of classes; null where there is none. */
function rankingOf(graph: Graph): (Ranking & { readonly tensor: string }) | null {
  const { outputs } = withMeanings(graph);
  const [output, ...others] = outputs.filter(({ name }, _, all) => all.length === 1 || name !== 'embedding');
  if (!output || others.length > 0 || output.meaning === 'features') return null;
  return { output: output.name, tensor: output.tensor, logits: output.meaning === 'logits', count: 5 };
}

/**
 * A row for each stage that classifying a picture passes beside the layers, by an executor whose plan does not alias
 * tensors:
 * - `image-to-tensor`: the input tensor of a picture that has to be resampled, within `imageBound`;
 * - where the plan's first convolution reads pixels of a picture that has not, that convolution, within its own bound and
 *   what `imageBound` lets the tensor in its place be off by;
 * - `rank-classes`: the best classes and their probabilities, ranked by the GPU's own scores. Classes in another order
 *   fail whatever their scores.
 *
 * None for a graph that takes no picture. Throws as `Executor.runPicture` does.
 */
export async function validateStages(
  executor: Executor,
  graph: Graph,
  prepared: Graph,
  storageOf: (node: Node) => StorageOptions,
  signal?: AbortSignal,
): Promise<LayerReport[]> {
  const rule = ruleOf(graph);
  if (!rule) return [];
  const { plan } = executor;
  const { name, shape } = prepared.inputs[0]!;
  const [, height, width] = shape;
  const run = async (picture: Picture) => {
    poison(executor.resources);
    await executor.runPicture(picture, rule, null, { signal });
    return expectedTensor(picture, rule, shape, plan.tensors[name]!.precision !== 'float32');
  };
  const rows: LayerReport[] = [];
  const row = (what: string, op: string, kernel: string, { output, bound, probable }: Bounded, actual: Float32Array) =>
    rows.push({ name: what, op, kernel, shape: output.shape, ...checkBounds(actual, output.data, bound, probable) });

  const larger = seededPicture(width + Math.ceil(width / 3), height + Math.ceil(height / 4));
  const expected = await run(larger);
  const [node] = prepared.nodes;
  const made = await executor.readTensor(name);
  if (node?.op === 'integer' && node.body.kind === 'quantise' && made.every(Number.isNaN)) {
    // No tensor was made of the picture: its pixels became stored integers at once.
    const stored = quantisedWithBound(expected, node.body);
    row(node.output, 'image-to-tensor', 'image-to-tensor', stored, await executor.readTensor(node.output));
  } else row(name, 'image-to-tensor', 'image-to-tensor', expected, made);

  const pixels = await run(seededPicture(width, height));
  // No tensor was made of the pixels: the first convolution read them.
  if (node?.op === 'conv2d' && (await executor.readTensor(name)).every(Number.isNaN)) {
    const found = runWithErrors(node, [pixels], storageOf(node));
    row(`${node.name} of pixels`, node.op, plan.dispatches[0]!.kernel, found, await executor.readTensor(node.output));
  }

  const ranking = rankingOf(graph);
  if (!ranking) return rows;
  const { ranked } = await executor.runPicture(larger, rule, ranking, { signal });
  if (!ranked) return rows;
  const tensor = prepared.outputs.find((output) => output.name === ranking.output)!.tensor;
  const scores = { shape: plan.tensors[tensor]!.shape, data: await executor.readTensor(tensor) };
  const best = rankWithBound(scores, ranking);
  row(
    ranking.output,
    'rank-classes',
    'rank-classes',
    best,
    Float32Array.from(ranked, ({ score }) => score),
  );
  const last = rows.at(-1)!;
  const same = ranked.length === best.indices.length && ranked.every(({ index }, i) => index === best.indices[i]);
  if (!same) rows[rows.length - 1] = { ...last, maxError: Number.MAX_VALUE, ok: false };
  return rows;
}

/** Stored integers of real numbers that may be off by their bound: as many steps as lie between the ends, and one for the product. */
function quantisedWithBound({ output, bound: off }: Bounded, body: Quantise): Bounded {
  const at = (side: number) =>
    output.data.map((x, i) => quantise((x + side * off[i]!) * (1 + side * Math.sign(x) * 2 ** -22), body));
  const data = at(0);
  const [low, high] = [at(-1), at(1)];
  const bound = data.map((q, i) => Math.max(high[i]! - q, q - low[i]!, 2 ** -126));
  return { output: { shape: output.shape, data }, bound, probable: bound };
}

/** Pixels of every kind: noise. */
function seededPicture(width: number, height: number): Picture {
  const random = seededUniform(width * height);
  return { width, height, data: Uint8Array.from({ length: 4 * width * height }, () => 256 * random()) };
}

/** What a picture should be as an input tensor, stored as halves or not, and how far off it may be. */
function expectedTensor(picture: Picture, rule: ImageRule, shape: Tensor['shape'], half: boolean): Bounded {
  const [, height, width, channels] = shape;
  const data = imageToTensor(picture, rule, [height, width], channels);
  const computed = imageBound([picture.height, picture.width], rule, [height, width], channels);
  // A store rounds by 2^-11 of the value, or by 2^-25 where that is subnormal.
  const bound = half ? computed.map((b, i) => b + 2 ** -11 * (Math.abs(data[i]!) + b) + 2 ** -25) : computed;
  return { output: { shape, data }, bound, probable: bound };
}

/**
 * The best classes by scores of one image, best first, the lower index first where scores are equal, and their
 * probabilities: of logits the softmax, within the bound of that operation (halving both scores before the difference, as
 * the shader does, is exact); else the scores themselves, which may be flushed to zero.
 */
export function rankWithBound(
  scores: Tensor,
  { logits, count }: Pick<Ranking, 'logits' | 'count'>,
): Bounded & { readonly indices: readonly number[] } {
  const softmax = { op: 'softmax', name: 'ranking', inputs: ['scores'], output: 'probabilities' } as const;
  const flushed = new Float32Array(scores.data.length).fill(2 ** -126);
  const all = logits ? runWithBound(softmax, [scores]) : { ...exact(scores), bound: flushed, probable: flushed };
  const indices = [...scores.data.keys()].sort((a, b) => scores.data[b]! - scores.data[a]!).slice(0, count);
  const best = (values: Float32Array) => Float32Array.from(indices, (index) => values[index]!);
  return {
    indices,
    output: { shape: [1, 1, 1, indices.length], data: best(all.output.data) },
    bound: best(all.bound),
    probable: best(all.probable),
  };
}
