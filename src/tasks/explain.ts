/** Where a classifier looks: class activation maps (Zhou et al. 2016, "Learning Deep Features for Discriminative Localization"). */
import { UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Conv2d, FullyConnected, Node, Pair, Shape } from '../graph/ops.ts';
import { softmax, topK } from '../graph/scores.ts';
import type { PictureSource } from '../images/picture-source.ts';
import { type Framing, scoreMask } from './mask.ts';
import { see, type TaskModel, type TaskOptions } from './task.ts';

/** Further outputs of `withClassMaps`: the maps of all classes, and what the linear layer gives. */
const [mapsOutput, logitsOutput] = ['class-maps', 'class-logits'];

export interface ExplainOptions extends TaskOptions {
  /** Number of classes, default 5. */
  readonly top?: number | undefined;
}

export interface ExplainedClass {
  readonly index: number;
  /** From the labels; null without. */
  readonly label: string | null;
  /** As `Classification` has it. */
  readonly score: number;
  /** What the linear layer gives: the mean of the map, and the bias. */
  readonly logit: number;
  readonly bias: number;
  /** `[height][width]` of `Explanation.size`: what each place adds to the logit, times the number of places. */
  readonly map: Float32Array<ArrayBuffer>;
}

export interface Explanation {
  /** Height and width of the maps. */
  readonly size: Pair;
  readonly framing: Framing;
  /** The best first. */
  readonly classes: readonly ExplainedClass[];
}

interface Head {
  readonly features: string;
  /** Of `[1, height, width, channels]`. */
  readonly shape: Shape;
  readonly linear: Conv2d | FullyConnected;
  readonly classes: number;
}

/**
 * The graph of a classifier with what `explain` reads as further outputs: load it, and hand the model to `explain`. As the
 * mean and the linear layer exchange, the maps are one pointwise convolution of the features with the last layer's weights:
 * map[y, x, k] = Σ over c of features[y, x, c] · w[c, k]. A graph that has them stays as it is.
 *
 * Throws `UsageError` where the network does not end in a mean over places and one linear layer.
 */
export async function withClassMaps(graph: Graph): Promise<Graph> {
  if (graph.outputs.some(({ name }) => name === mapsOutput)) return graph;
  const { linear, features, classes } = await headOf(graph);
  const maps: Conv2d = {
    op: 'conv2d',
    name: mapsOutput,
    inputs: [features],
    output: mapsOutput,
    weights: linear.weights,
    bias: null,
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    padding: { top: 0, left: 0, bottom: 0, right: 0 },
    groups: 1,
    outChannels: classes,
    activation: 'none',
  };
  const plain: Node = { ...linear, name: logitsOutput, output: logitsOutput, activation: 'none' };
  return {
    ...graph,
    nodes: [...graph.nodes, maps, plain],
    outputs: [
      ...graph.outputs,
      { name: mapsOutput, tensor: maps.output, meaning: 'features' },
      { name: logitsOutput, tensor: plain.output, meaning: 'features' },
    ],
  };
}

/**
 * The best classes of a picture, and how much each place of it speaks for them, by a model of `withClassMaps`' graph. Throws
 * `UsageError` where the model is none or the picture does not fit, `InvalidResultError` where it gives NaN.
 */
export async function explain(
  model: TaskModel,
  picture: PictureSource,
  { top = 5, ...options }: ExplainOptions = {},
): Promise<Explanation> {
  const { graph } = model;
  if (!graph.outputs.some(({ name }) => name === mapsOutput)) {
    throw new UsageError(`${graph.name} has no output "${mapsOutput}": load await withClassMaps(graph)`);
  }
  const { shape, linear, classes } = await headOf(graph);
  const { outputs, framing } = await see(model, picture, options);
  const [scores, logits, maps] = [outputs[graph.outputs[0]!.name]!, outputs[logitsOutput]!, outputs[mapsOutput]!];
  const labels = options.labels ?? graph.labels;
  const places = shape[1] * shape[2];
  const probabilities = graph.outputs[0]!.meaning === 'logits' ? softmax(scores) : scores;
  return {
    size: [shape[1], shape[2]],
    framing,
    classes: topK(probabilities, top).map(({ index, score }) => ({
      index,
      label: labels?.[index] ?? null,
      score,
      logit: logits[index]!,
      bias: linear.bias?.[index] ?? 0,
      map: Float32Array.from({ length: places }, (_, place) => maps[place * classes + index]!),
    })),
  };
}

/** A class's map at each pixel of the picture, interpolated between places; NaN where the network did not see it. */
export function mapOnPicture({ size, framing }: Explanation, { map }: ExplainedClass): Float32Array<ArrayBuffer> {
  return scoreMask({ scores: map, classes: 1, size, corners: 'half-pixel' }, framing);
}

/** What may stand behind the linear layer, and between it and the mean. */
const behind: ReadonlySet<Node['op']> = new Set(['softmax', 'reshape', 'activation', 'clip']);

async function headOf(graph: Graph): Promise<Head> {
  const producers = new Map(graph.nodes.map((node) => [node.output, node]));
  const before = (node: Node | undefined) => producers.get(node?.inputs[0] ?? '');
  const refuse = (node: Node | undefined, expected: string): never => {
    const found = node ? `node "${node.name}" (${node.op})` : 'an input';
    if (node?.op === 'integer') {
      throw new UsageError(
        `${graph.name} runs on integers, and class activation maps are real numbers: load it with precision "float32"`,
      );
    }
    throw new UsageError(
      `${graph.name} has no class activation maps: expected ${expected}, and found ${found}; maps are for networks that end ` +
        'in a mean over all places and one linear layer, as MobileNet V1 and V2 do',
    );
  };
  let linear = producers.get(graph.outputs[0]?.tensor ?? '');
  while (linear && behind.has(linear.op)) linear = before(linear);
  const isLinear =
    linear?.op === 'fully-connected' ||
    (linear?.op === 'conv2d' &&
      linear.groups === 1 &&
      linear.inputs.length === 1 &&
      linear.kernel[0] * linear.kernel[1] === 1);
  if (!linear || !isLinear) return refuse(linear, 'a linear layer before the scores');
  let pool = before(linear);
  while (pool?.op === 'reshape') pool = before(pool);
  // Of the engine, which is there already.
  const { inferShapes } = await import('../graph/shapes.ts');
  const shapes = inferShapes(graph);
  const shape = shapes.get(pool?.inputs[0] ?? '');
  const isMean =
    pool?.op === 'global-average-pool' ||
    (pool?.op === 'pool' &&
      pool.kind === 'average' &&
      pool.kernel[0] === shape![1] &&
      pool.kernel[1] === shape![2] &&
      Object.values(pool.padding).every((rows) => rows === 0));
  if (!pool || !shape || !isMean) return refuse(pool, 'a mean over all places before the linear layer');
  if (shape[0] !== 1) return refuse(pool, 'a batch of 1');
  const last = linear as Conv2d | FullyConnected;
  const classes = last.op === 'conv2d' ? last.outChannels : last.outFeatures;
  return { features: pool.inputs[0]!, shape, linear: last, classes };
}
