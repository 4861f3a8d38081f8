/** How what a TensorFlow Lite file was cut at is decoded, as the operators that followed and the names of outputs tell. */
import { ModelFormatError } from '../../errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { plainImage } from '../../graph/image-rule.ts';
import { inferShapes } from '../../graph/shapes.ts';
import { isAxis, moveNetOf, poseNetImage, poseNetOf, withClasses, withPublishedImage } from '../core/decodings.ts';
import { flexNumbers } from './flex-numbers.ts';

/** An operator that is not run. */
export interface End {
  readonly op: string;
  /** Names of the graph's outputs that it reads; null for what is none. */
  readonly inputs: readonly (string | null)[];
  /** The values of input `i` where that is a constant, else null. */
  readonly constant: (i: number) => ArrayLike<number> | null;
  /** The bytes of a custom operator's options. */
  readonly options: Uint8Array;
}

/** The graph with the decoding of its outputs; as it is where that is not known. Throws `ModelFormatError`. */
export function withDecoding(graph: Graph, ends: readonly End[], customs: ReadonlySet<string>): Graph {
  const readers = ends.filter(({ inputs }) => inputs.some((name) => name !== null));
  const [first] = readers;
  const decoder = readers.find(({ op }) => op === 'PosenetDecoderOp');
  if (decoder) return withPoseNet(graph, decoder);
  if (first?.op === 'ARG_MAX' && readers.length === 1) {
    const axis = first.constant(1);
    if (axis && !isAxis(axis)) {
      const found = Array.from(axis).slice(0, 8);
      throw new ModelFormatError(graph.name, `operator ARG_MAX names the axis [${found}], expected -4 to 3`);
    }
    return axis?.length === 1 && [3, -1].includes(axis[0]!) ? withClasses(graph, 'align') : graph;
  }
  if (customs.has('Convolution2DTransposeBias')) return withForeground(graph);
  const poseNet = poseNetOf(graph);
  if (poseNet) return withPublishedImage({ ...graph, decoding: poseNet }, poseNetImage, 'PoseNet of TensorFlow.js');
  const moveNet = moveNetOf(graph);
  // Squashed, as Coral's own results of such a file are; TensorFlow.js's is letterboxed, as the model card says.
  return moveNet ? { ...graph, decoding: moveNet } : graph;
}

/** Coral's operator: inputs are heatmaps, short-range offsets and displacements, and long-range offsets where it has masks. */
function withPoseNet(graph: Graph, { inputs: [heatmaps, offsets, displacements], options: bytes }: End): Graph {
  if (!heatmaps || !offsets || !displacements) return graph;
  const stated = flexNumbers(bytes, (message) => {
    throw new ModelFormatError(graph.name, `PosenetDecoderOp has options that are damaged: ${message}`);
  });
  const number = (key: string, most: number, whole: boolean): number => {
    const value = stated.get(key);
    if (value !== undefined && value > 0 && value <= most && (!whole || Number.isInteger(value))) return value;
    throw new ModelFormatError(
      graph.name,
      `PosenetDecoderOp has the option ${key} ${value}, expected a ${whole ? 'whole ' : ''}number above 0, at most ${most}`,
    );
  };
  const minScore = number('score_threshold', 1, false);
  const options = {
    stride: number('stride', 1024, true),
    maxPoses: number('max_detections', 1000, true),
    radius: number('nms_radius', 100_000, false),
    minScore,
    minPoseScore: minScore,
  };
  const given = { heatmaps, offsets, displacements };
  const decoding = poseNetOf(graph, options, given);
  return decoding ? { ...graph, decoding } : graph;
}

/**
 * MediaPipe's selfie segmentation: a sigmoid for each pixel of a colour picture from 0 to 1 (selfie_segmentation_cpu.pbtxt,
 * selfie_segmentation_landscape's alike), squashed.
 */
function withForeground(graph: Graph): Graph {
  const [[input], [output]] = [graph.inputs, graph.outputs];
  if (!input || !output || graph.inputs.length + graph.outputs.length > 2 || input.shape[3] !== 3) return graph;
  const [batch, height, width, classes] = inferShapes(graph).get(output.tensor)!;
  const last = graph.nodes.at(-1);
  const sigmoid = last?.op === 'activation' && last.activation === 'sigmoid' && last.output === output.tensor;
  const whole = batch === 1 && classes === 1 && height === input.shape[1] && width === input.shape[2];
  if (!sigmoid || !whole) return graph;
  const decoding = {
    scores: output.name,
    size: [height, width],
    classes,
    corners: 'half-pixel',
    logits: false,
  } as const;
  const image = { ...plainImage, scale: [1 / 255] };
  return withPublishedImage({ ...graph, decoding: { kind: 'segmentation', ...decoding } }, image, "MediaPipe's graph");
}
