/** `TFLite_Detection_PostProcess`: its options and anchors (tensorflow/lite/kernels/detection_postprocess.cc). */
import { toReference } from 'flatbuffers/mjs/flexbuffers/reference.js';
import type { SsdDecoding } from '../../graph/decoding.ts';
import type { TailCall } from './tail-call.ts';

/** More detections, classes and the like are damage or an attack. */
const most = 100_000;

export function ssdDecoding({ options, heads: [boxes, scores], constant, fail }: TailCall): SsdDecoding {
  const stated = optionsOf(options, fail);
  const number = (key: string, otherwise?: number): number => {
    const value = stated(key) ?? otherwise;
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
  const shaped = anchors.dims.length === 2 && anchors.dims[1] === 4;
  const columns = scores!.dims[2]!;
  const fits = [boxes, scores].every(
    (head) => head!.dims.length === 3 && head!.dims[0] === 1 && head!.dims[1] === total,
  );
  if (!shaped || !fits || boxes!.dims[2] !== 4 || (columns !== classes && columns !== classes + 1)) {
    fail(
      `reads boxes of [${boxes!.dims}], scores of [${scores!.dims}] and anchors of [${anchors.dims}] for ${classes} classes, ` +
        `expected [1,n,4], [1,n,${classes + 1}] and [n,4]`,
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

/** Reads options by name: numbers, booleans as 0 and 1; null for what is not there. */
function optionsOf(bytes: Uint8Array, fail: (message: string) => never): (key: string) => number | null {
  const read = <T>(what: string, get: () => T): T => {
    try {
      return get();
    } catch (error) {
      return fail(`has options that are damaged: ${what}: ${error instanceof Error ? error.message : error}`);
    }
  };
  const map = read('their root', () => toReference(bytes.slice().buffer as ArrayBuffer));
  if (!map.isMap()) fail('has options that are no map');
  return (key) =>
    read(key, () => {
      let value: ReturnType<typeof map.get>;
      try {
        value = map.get(key as never);
      } catch (error) {
        // How the reader says that there is no such key.
        if (typeof error === 'string' && error.startsWith(`Key [${key}]`)) return null;
        throw error;
      }
      if (value.isNull()) return null;
      if (value.isBool()) return Number(value.boolValue());
      return value.isNumber()
        ? Number(value.floatValue() ?? value.intValue())
        : fail(`has an option ${key} that is no number`);
    });
}
