/** The decoding in a saved model. */
import type { Decoding, DecodingOf } from '../../graph/decoding.ts';
import type { GraphOutput } from '../../graph/graph.ts';
import { isRecord } from '../core/json.ts';
import { type Check, isCount, isNumber, isPair, isText, oneOf } from './checks.ts';

const isFour: Check = (value) => Array.isArray(value) && value.length === 4 && value.every(isNumber);
/** A name that must be one of the graph's outputs. */
const output = 'output';
const outputOrNull = 'output or null';

/** Fields of each kind. */
const fields: {
  readonly [K in Decoding['kind']]: Readonly<
    Record<Exclude<keyof DecodingOf<K>, 'kind'>, Check | typeof output | typeof outputOrNull>
  >;
} = {
  ssd: {
    boxes: output,
    scores: output,
    logits: oneOf(true, false),
    anchors: (value) => Array.isArray(value) && value.length % 4 === 0 && value.every(isNumber),
    scales: isFour,
    classes: isCount,
    maxDetections: isCount,
    maxClassesPerDetection: isCount,
    maxPerClass: (value) => value === null || isCount(value),
    minScore: isNumber,
    maxOverlap: isNumber,
  },
  movenet: { centre: output, keypoints: output, regression: output, offsets: output, size: isPair },
  posenet: {
    heatmaps: output,
    offsets: output,
    forward: output,
    backward: output,
    size: isPair,
    stride: isCount,
    maxPoses: isCount,
    minScore: isNumber,
    minPoseScore: isNumber,
    radius: isNumber,
    people: outputOrNull,
    parts: outputOrNull,
  },
  segmentation: {
    scores: output,
    size: isPair,
    classes: isCount,
    corners: oneOf('half-pixel', 'align'),
    logits: oneOf(true, false),
  },
  centernet: { heatmap: output, distances: output, size: isPair, stride: isCount },
};

/** Whether `value` is a decoding of a graph with these outputs, of a kind that this engine knows. */
export function isDecoding(value: unknown, outputs: readonly GraphOutput[]): boolean {
  if (!isRecord(value) || !isText(value.kind) || !Object.hasOwn(fields, value.kind as string)) return false;
  return Object.entries(fields[value.kind as Decoding['kind']]).every(([name, check]) => {
    if (check === outputOrNull && value[name] === null) return true;
    return typeof check === 'string' ? outputs.some((one) => one.name === value[name]) : check(value[name]);
  });
}
