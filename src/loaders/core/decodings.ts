/** Decodings that the names and shapes of a network's outputs tell, whatever the format. */
import type { MoveNetDecoding, PoseNetDecoding, SegmentationDecoding } from '../../graph/decoding.ts';
import type { Graph, ImageRule } from '../../graph/graph.ts';
import { plainImage } from '../../graph/image-rule.ts';
import type { Pair, Shape } from '../../graph/ops.ts';
import { inferShapes } from '../../graph/shapes.ts';

/** Pixels 0 … 255 as they are, letterboxed: what MoveNet's model card says. */
export const moveNetImage: ImageRule = { ...plainImage, fit: 'letterbox' };

/** −1 … 1, letterboxed: PoseNet and BodyPix of TensorFlow.js on MobileNetV1. */
export const poseNetImage: ImageRule = { ...plainImage, fit: 'letterbox', scale: [1 / 127.5], offset: [-1] };

/** The graph with an image rule that its publisher states elsewhere, said as an assumption; its own rule stays. */
export const withPublishedImage = (graph: Graph, image: ImageRule, publisher: string): Graph =>
  graph.image
    ? graph
    : {
        ...graph,
        image,
        assumptions: [
          ...(graph.assumptions ?? []),
          `pictures become the input as ${publisher} has it: the file does not say how`,
        ],
      };

interface Head {
  readonly name: string;
  readonly shape: Shape;
}

/** The outputs with their shapes; where a converter joined names, the first of them. */
function headsOf(graph: Graph): readonly (Head & { readonly first: string })[] {
  const shapes = inferShapes(graph);
  return graph.outputs.map(({ name, tensor }) => ({ name, shape: shapes.get(tensor)!, first: name.split(';')[0]! }));
}

/** MoveNet's four heads: of one grid, the longer ones told apart by their names. Null where they are not there. */
export function moveNetOf(graph: Graph): MoveNetDecoding | null {
  const heads = headsOf(graph);
  const offsets = heads.find(({ first }) => first.includes('kpt_offset'));
  const regression = heads.find(({ first }) => first.includes('kpt_regress'));
  if (!offsets || !regression) return null;
  const [batch, height, width, channels] = offsets.shape;
  const ofChannels = (count: number) =>
    heads.find(({ shape }) => shape.join() === [1, height, width, count].join())?.name;
  const [centre, keypoints] = [ofChannels(1), ofChannels(17)];
  const fits = batch === 1 && channels === 34 && regression.shape.join() === offsets.shape.join();
  if (!fits || !centre || !keypoints) return null;
  const names = { centre, keypoints, regression: regression.name, offsets: offsets.name };
  return { kind: 'movenet', ...names, size: [height, width] };
}

/** PoseNet's heads, and BodyPix's, by the names that their exporters give them. Null where they are not there. */
export function poseNetOf(
  graph: Graph,
  options: Partial<Pick<PoseNetDecoding, 'stride' | 'maxPoses' | 'minScore' | 'minPoseScore' | 'radius'>> = {},
  given: Partial<Record<'heatmaps' | 'offsets' | 'displacements', string>> = {},
): PoseNetDecoding | null {
  const heads = headsOf(graph);
  const named = (pattern: RegExp, channels: number, name?: string): Head | undefined =>
    heads.find((head) => (name ? head.name === name : pattern.test(head.first)) && head.shape[3] === channels);
  const heatmaps = named(/(^|\/)(float_heatmaps|heatmap_2)\b/, 17, given.heatmaps);
  const offsets = named(/(^|\/)(float_short_offsets|offset_2)\b/, 34, given.offsets);
  const both = named(/(^|\/)float_mid_offsets\b/, 64, given.displacements);
  const forward = both ?? named(/(^|\/)displacement_fwd_2\b/, 32);
  const backward = both ?? named(/(^|\/)displacement_bwd_2\b/, 32);
  if (!heatmaps || !offsets || !forward || !backward || graph.inputs.length !== 1) return null;
  const grid = ({ shape }: Head) => shape.slice(0, 3).join();
  const people = named(/(^|\/)(float_segments|segment_2)\b/, 1);
  const parts = named(/(^|\/)(float_part_heatmaps|part_heatmap_2)\b/, 24);
  const ofOneGrid = (head: Head) => grid(head) === grid(heatmaps);
  const [batch, height, width] = heatmaps.shape;
  if (batch !== 1 || ![offsets, forward, backward].every(ofOneGrid)) return null;
  const size: Pair = [height, width];
  return {
    kind: 'posenet',
    heatmaps: heatmaps.name,
    offsets: offsets.name,
    forward: forward.name,
    backward: backward.name,
    size,
    // The outermost cells lie on the outermost pixels, or a pixel beyond.
    stride: strideOf(graph.inputs[0]!.shape[1], height),
    // Those of TensorFlow.js, where the file has none.
    maxPoses: 5,
    minScore: 0.5,
    minPoseScore: 0,
    radius: 20,
    ...options,
    people: people && ofOneGrid(people) ? people.name : null,
    parts: people && parts && ofOneGrid(people) && ofOneGrid(parts) ? parts.name : null,
  };
}

/** The power of two by which cells of MobileNetV1 lie apart. */
const strideOf = (pixels: number, cells: number): number =>
  2 ** Math.round(Math.log2(cells > 1 ? (pixels - 1) / (cells - 1) : pixels));

/** Whether it names a dimension, of the four that a network's tensor has at most. */
export const isAxis = (axis: ArrayLike<number>): boolean =>
  axis.length === 1 && [-4, -3, -2, -1, 0, 1, 2, 3].includes(axis[0]!);

/**
 * The graph with its one output as scores of the classes of pixels, the largest of which was asked for (`ARG_MAX`); as it is
 * where it has others, or no map.
 */
export function withClasses(graph: Graph, corners: SegmentationDecoding['corners']): Graph {
  const [output] = graph.outputs;
  if (!output || graph.outputs.length > 1) return graph;
  const [batch, height, width, classes] = inferShapes(graph).get(output.tensor)!;
  if (batch !== 1 || height * width === 1 || classes === 1) return graph;
  const size = [height, width] as const;
  return { ...graph, decoding: { kind: 'segmentation', scores: output.name, size, classes, corners, logits: true } };
}
