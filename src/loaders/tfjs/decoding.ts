/** How what a TensorFlow.js graph model was cut at is decoded, as the names of its nodes tell. */
import { ModelFormatError } from '../../errors.ts';
import type { CenterNetDecoding } from '../../graph/decoding.ts';
import type { Graph } from '../../graph/graph.ts';
import { plainImage } from '../../graph/image-rule.ts';
import { inferShapes } from '../../graph/shapes.ts';
import {
  isAxis,
  moveNetImage,
  moveNetOf,
  poseNetImage,
  poseNetOf,
  withClasses,
  withPublishedImage,
} from '../core/decodings.ts';

/**
 * The graph with the decoding of its outputs, and the image rule that goes with it; as it is where that is not known.
 * `index`: it was cut before a node that gives the index of the largest score along that axis. Throws `ModelFormatError`.
 */
export function withDecoding(graph: Graph, index?: { readonly node: string; readonly axis: ArrayLike<number> }): Graph {
  if (index && !isAxis(index.axis)) {
    const found = Array.from(index.axis).slice(0, 8);
    throw new ModelFormatError(graph.name, `node "${index.node}" (ArgMax) names the axis [${found}], expected -4 to 3`);
  }
  if (index && [3, -1].includes(index.axis[0]!) && graph.outputs.length === 1) return withClasses(graph, 'align');
  const detector = centerNet(graph);
  if (detector) return { ...graph, decoding: detector, image: graph.image ?? plainImage };
  const moveNet = moveNetOf(graph);
  if (moveNet) return withPublishedImage({ ...graph, decoding: moveNet }, moveNetImage, "MoveNet's model card");
  const poseNet = poseNetOf(graph);
  return poseNet
    ? withPublishedImage({ ...graph, decoding: poseNet }, poseNetImage, 'PoseNet of TensorFlow.js')
    : graph;
}

/** "tower_0/keypoints" and "tower_0/wh" of CenterNet with a feature pyramid (MediaPipe), which takes pixels as they are. */
function centerNet({ outputs, ...graph }: Graph): CenterNetDecoding | null {
  const [heatmap, distances] = ['tower_0/keypoints', 'tower_0/wh'].map((name) => outputs.find((o) => o.name === name));
  const [input, ...others] = graph.inputs;
  if (!heatmap || !distances || !input || others.length > 0) return null;
  const shapes = inferShapes({ ...graph, outputs });
  const [batch, height, width] = shapes.get(heatmap.tensor)!;
  const stride = input.shape[1] / height;
  const fits = shapes.get(distances.tensor)!.join() === [1, height, width, 4].join();
  if (batch !== 1 || !fits || !Number.isInteger(stride) || input.shape[2] !== width * stride) return null;
  return { kind: 'centernet', heatmap: heatmap.name, distances: distances.name, size: [height, width], stride };
}
