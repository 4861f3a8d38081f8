import { UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/ops.ts';
import { inferShapes } from '../graph/shapes.ts';

/** The name of the further output of `withEmbedding`. */
export const embeddingOutput = 'embedding';

/**
 * The graph of a classifier with a further output "embedding": the features that its last layer reads,
 * `[batch, height, width, channels]` of a fully connected layer or `[batch, 1, 1, channels]` of a 1×1 convolution of one
 * pixel. A graph that has such an output beside its only one stays as it is.
 *
 * Throws `UsageError` where the graph has another number of outputs, or where that layer is none of the two.
 */
export function withEmbedding(graph: Graph): Graph {
  const names = graph.outputs.map(({ name }) => name);
  if (names.length === 2 && names.includes(embeddingOutput)) return graph;
  if (names.length !== 1 || names[0] === embeddingOutput) {
    throw new UsageError(
      `${graph.name} has the outputs ${names.join(', ')}; an embedding is taken before the only output of a classifier`,
    );
  }
  const output = { name: embeddingOutput, tensor: classifierInput(graph) };
  return { ...graph, outputs: [...graph.outputs, output] };
}

/** What may stand between the last layer with weights and the output, or only restate its input. */
const passedOver: ReadonlySet<Node['op']> = new Set([
  'softmax',
  'reshape',
  'activation',
  'affine',
  'prelu',
  'batch-norm',
  'clip',
]);

function classifierInput(graph: Graph): string {
  const shapes = inferShapes(graph);
  const producers = new Map(graph.nodes.map((node) => [node.output, node]));
  let node = producers.get(graph.outputs[0]!.tensor);
  while (node && passedOver.has(node.op)) node = producers.get(node.inputs[0]!);
  const [, height, width] = shapes.get(node?.inputs[0] ?? '') ?? [0, 0, 0, 0];
  const isClassifier =
    node?.op === 'fully-connected' ||
    (node?.op === 'conv2d' && node.groups === 1 && node.inputs.length === 1 && height * width === 1);
  let tensor = node?.inputs[0];
  const found = node ? `node "${node.name}" (${node.op})` : 'an input';
  if (!isClassifier || tensor === undefined) {
    throw new UsageError(
      `${graph.name} has no embedding: its output comes from ${found}, expected a fully connected layer or a 1×1 ` +
        'convolution of one pixel',
    );
  }
  // The same elements in the same order; passes drop the reshape unless somebody reads its result.
  for (let before = producers.get(tensor); before?.op === 'reshape'; before = producers.get(tensor)) {
    tensor = before.inputs[0]!;
  }
  if (!producers.has(tensor)) {
    throw new UsageError(`${graph.name} has no embedding: ${found} reads the input "${tensor}" itself`);
  }
  return tensor;
}
