/** `TFLite_Detection_PostProcess`: its options and anchors (tensorflow/lite/kernels/detection_postprocess.cc). */
import type { SsdDecoding } from '../../graph/decoding.ts';
import { flexNumbers } from './flex-numbers.ts';
import type { TailCall } from './tail-call.ts';

/** More detections, classes and the like are damage or an attack. */
const most = 100_000;

export function ssdDecoding({ options, heads: [boxes, scores], constant, fail }: TailCall): SsdDecoding {
  const stated = flexNumbers(options, (message) => fail(`has options that are damaged: ${message}`));
  const number = (key: string, otherwise?: number): number => {
    const value = stated.get(key) ?? otherwise;
    return value ?? fail(`has no option ${key}`);
  };
  const count = (key: string, otherwise?: number): number => {
    const value = number(key, otherwise);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    return fail(`has the option ${key} ${value}, expected a whole number from 1 to ${most}`);
  };
  const within = (key: string, low: number, high: number, otherwise?: number): number => {
    const value = number(key, otherwise);
    if (value >= low && value <= high) return value;
    return fail(`has the option ${key} ${value}, expected a number from ${low} to ${high}`);
  };
  const classes = count('num_classes');
  const anchors = constant(2);
  const total = anchors.dims[0]!;
  const shaped = anchors.type === 'float' && anchors.dims.length === 2 && anchors.dims[1] === 4;
  const columns = scores!.dims[2]!;
  const fits = [boxes, scores].every(
    (head) => head!.dims.length === 3 && head!.dims[0] === 1 && head!.dims[1] === total,
  );
  if (!shaped || !fits || boxes!.dims[2] !== 4 || (columns !== classes && columns !== classes + 1)) {
    fail(
      `reads boxes of [${boxes!.dims}], scores of [${scores!.dims}] and ${anchors.type} anchors of [${anchors.dims}] for ${classes} classes, ` +
        `expected [1,n,4], [1,n,${classes + 1}] and float [n,4]`,
    );
  }
  const numbers = Array.from(anchors.data);
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) fail(`has ${numbers[bad]} among its anchors`);
  const scale = (axis: string) => within(`${axis}_scale`, 1e-6, 1e6);
  return {
    kind: 'ssd',
    boxes: boxes!.name,
    scores: scores!.name,
    logits: false,
    anchors: numbers,
    scales: [scale('y'), scale('x'), scale('h'), scale('w')],
    classes,
    maxDetections: count('max_detections'),
    maxClassesPerDetection: count('max_classes_per_detection'),
    maxPerClass: number('use_regular_nms', 0) === 0 ? null : count('detections_per_class', 100),
    minScore: within('nms_score_threshold', -1e30, 1e30, 0),
    maxOverlap: within('nms_iou_threshold', 1e-30, 1),
  };
}
