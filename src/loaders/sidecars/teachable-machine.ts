import { ModelFormatError } from '../../errors.ts';
import type { Graph, ImageRule } from '../../graph/graph.ts';
import { coloursOf, plainImage } from '../../graph/image-rule.ts';
import { field, listOf } from '../core/json.ts';
import type { LoadGraphOptions, ModelFiles } from '../model-files.ts';
import { jsonBeside } from './json-beside.ts';

const maxLabels = 100_000;

/**
 * How @teachablemachine/image prepares a picture: the centre square (`cropTo` in libraries/image/src/utils/canvas.ts of
 * googlecreativelab/teachablemachine-community), pixel / 127 − 1 (`capture` in utils/tf.ts). How a browser's canvas shrinks
 * is not specified; this is antialiased.
 */
const imageRule = (channels: number): ImageRule => ({
  ...plainImage,
  fit: 'crop',
  channels: coloursOf(channels),
  scale: [1 / 127],
  offset: [-1],
});

/**
 * Labels and image rule of a Teachable Machine export: model.json whose weights are in weights.bin, with metadata.json
 * beside it. Nothing where it is none. Throws `ModelFormatError` where metadata.json does not fit the network.
 */
export async function readTeachableMachine(
  files: ModelFiles,
  model: unknown,
  graph: Graph,
  { signal }: LoadGraphOptions,
): Promise<{ readonly labels?: readonly string[]; readonly image?: ImageRule }> {
  const paths = listOf(field(model, 'weightsManifest')).flatMap((group) => listOf(field(group, 'paths')));
  if (!files.read || paths.length !== 1 || !/^(\.\/)?weights\.bin$/.test(String(paths[0]))) return {};
  const metadata = await jsonBeside(files, 'metadata.json', signal);
  const labels = field(metadata, 'labels');
  if (labels === undefined) return {};
  if (!Array.isArray(labels) || labels.length > maxLabels || !labels.every((label) => typeof label === 'string')) {
    throw new ModelFormatError('metadata.json', `has labels that are no list of at most ${maxLabels} names`);
  }
  const output = outputChannels(graph);
  // With `outputs` the network may end before its classes.
  if (output !== labels.length) {
    if (output === null) return {};
    throw new ModelFormatError(
      'metadata.json',
      `names ${labels.length} classes, and ${files.name} has ${output}: it belongs to another model`,
    );
  }
  const isImage = field(metadata, 'packageName') === '@teachablemachine/image';
  const channels = graph.inputs[0]!.shape[3];
  return { labels, ...(isImage && (channels === 1 || channels === 3) ? { image: imageRule(channels) } : {}) };
}

/** Classes of the dense layer that the graph ends with, through a softmax; null where it ends otherwise. */
function outputChannels(graph: Graph): number | null {
  const makers = new Map(graph.nodes.map((node) => [node.output, node]));
  let node = makers.get(graph.outputs[0]?.tensor ?? '');
  if (node?.op === 'softmax' || node?.op === 'activation') node = makers.get(node.inputs[0]!);
  return graph.outputs.length === 1 && node?.op === 'fully-connected' ? node.outFeatures : null;
}
