/** `TFLite_Detection_PostProcess`: read, and damaged in twenty-odd ways. */
import { encode } from 'flatbuffers/mjs/flexbuffers.js';
import { describe, expect, it } from 'vitest';
import { MobileNetError } from '../../../src/errors.ts';
import type { SsdDecoding } from '../../../src/graph/decoding.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { cheaply } from '../../support/cost.ts';
import { type DetectorSpec, detectorOptions, tfliteDetector } from '../../support/tflite-detector.ts';

const graphOf = (spec?: DetectorSpec) => loadGraph({ name: 'm.tflite', bytes: tfliteDetector(spec) });
const option = (changed: object): DetectorSpec => ({ options: { ...detectorOptions, ...changed } });
const f32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** A FlexBuffers map of which everything is 64 bits wide; the package's own writer mixes widths of floats. */
function wideMap(entries: Readonly<Record<string, number | boolean>>): Uint8Array {
  const names = Object.keys(entries).sort();
  const text = new TextEncoder().encode(names.map((name) => `${name}\0`).join(''));
  const at = Math.ceil(text.length / 8) * 8;
  const words = 1 + names.length + 3 + names.length;
  const bytes = new Uint8Array(at + 8 * words + names.length + 10);
  bytes.set(text);
  const view = new DataView(bytes.buffer);
  const put = (place: number, value: number) => view.setBigUint64(place, BigInt(value), true);
  const keys = at + 8;
  const values = keys + 8 * names.length + 24;
  const root = values + 9 * names.length;
  put(at, names.length);
  put(values - 24, values - 24 - keys);
  put(values - 16, 8);
  put(values - 8, names.length);
  let from = 0;
  names.forEach((name, i) => {
    put(keys + 8 * i, keys + 8 * i - from);
    from += name.length + 1;
    const value = entries[name]!;
    const type = typeof value === 'boolean' ? 26 : Number.isInteger(value) ? 1 : 3;
    if (type === 3) view.setFloat64(values + 8 * i, value as number, true);
    else put(values + 8 * i, Number(value));
    bytes[values + 8 * names.length + i] = (type << 2) | 3;
  });
  put(root, root - values);
  bytes.set([(9 << 2) | 3, 8], root + 8);
  return bytes;
}

describe('TFLite_Detection_PostProcess', () => {
  it('is not run: the graph ends at what it reads, with its options and anchors', async () => {
    const graph = await graphOf({ labels: ['red', 'green'] });
    expect(graph.outputs.map(({ name }) => name)).toEqual(['boxes', 'scores']);
    expect(graph.labels).toEqual(['red', 'green']);
    const { decoding } = graph;
    expect(decoding).toMatchObject({
      ...{ kind: 'ssd', boxes: 'boxes', scores: 'scores', logits: false, scales: [10, 10, 5, 5], classes: 2 },
      ...{ maxDetections: 5, maxClassesPerDetection: 1, maxPerClass: null, minScore: 0.25, maxOverlap: 0.5 },
    });
    const outputs = runGraph(graph, { x: new Float32Array(48).fill(0.5) });
    expect([outputs.boxes!.data.length, outputs.scores!.data.length]).toEqual([64, 48]);
    expect((await graphOf(option({ use_regular_nms: true, detections_per_class: 7 }))).decoding).toMatchObject({
      maxPerClass: 7,
    });
    expect((await graphOf(option({ use_regular_nms: 1 }))).decoding).toMatchObject({ maxPerClass: 100 });
    // Without a column for the background.
    expect((await graphOf(option({ num_classes: 3 }))).decoding).toMatchObject({ classes: 3 });
    // Numbers of 64 bits, and thirds, as writers in other languages have them.
    const wide = wideMap({ ...detectorOptions, y_scale: 1 / 3, use_regular_nms: true });
    const { scales, maxPerClass, maxDetections } = (await graphOf({ options: wide })).decoding as SsdDecoding;
    expect([scales, maxPerClass, maxDetections]).toEqual([[1 / 3, 10, 5, 5], 100, 5]);
  });

  it('leaves the file cut where the caller says', async () => {
    const graph = await loadGraph({ name: 'm.tflite', bytes: tfliteDetector() }, { outputs: ['logits'] });
    expect(graph.outputs.map(({ name }) => name)).toEqual(['logits']);
    expect(graph.decoding).toBeUndefined();
  });

  const sound = new Uint8Array(encode(detectorOptions));
  const without = (key: string) => Object.fromEntries(Object.entries(detectorOptions).filter(([name]) => name !== key));
  const damaged: readonly (readonly [string, DetectorSpec, RegExp])[] = [
    ['no options', { options: new Uint8Array(0) }, /options that are damaged/],
    ['two bytes of options', { options: Uint8Array.of(0x24, 1) }, /options that are damaged/],
    ['options that are a number', { options: new Uint8Array(encode(5)) }, /they are no map/],
    ['options cut short', { options: sound.slice(0, 40) }, /options that are damaged/],
    [
      'options whose root points far away',
      { options: Uint8Array.of(...sound.slice(0, -3), 255, 0x24, 1) },
      /damaged|no option/,
    ],
    ['options of noise', { options: Uint8Array.from({ length: 99 }, (_, i) => (i * 77) % 251) }, /options that are/],
    ['no scale', { options: without('h_scale') }, /no option h_scale/],
    ['no classes', { options: without('num_classes') }, /no option num_classes/],
    ['no threshold of overlaps', { options: without('nms_iou_threshold') }, /no option nms_iou_threshold/],
    ['a scale of zero', option({ y_scale: 0 }), /y_scale 0, expected/],
    [
      'a scale that is infinite',
      { options: wideMap({ ...detectorOptions, w_scale: Infinity }) },
      /w_scale Infinity, expected/,
    ],
    ['a scale that is NaN', { options: wideMap({ ...detectorOptions, w_scale: NaN }) }, /w_scale NaN, expected/],
    ['a scale that is text', option({ x_scale: 'ten' }), /no option x_scale/],
    ['a scale that is a list', option({ x_scale: [10] }), /no option x_scale/],
    ['half a class', option({ num_classes: 1.5 }), /num_classes 1.5, expected/],
    ['negative detections', option({ max_detections: -1 }), /max_detections -1, expected/],
    ['a thousand million detections', option({ max_detections: 1e9 }), /max_detections 1000000000, expected/],
    ['no classes for a detection', option({ max_classes_per_detection: 0 }), /max_classes_per_detection 0/],
    ['an overlap of 2', option({ nms_iou_threshold: 2 }), /nms_iou_threshold 2, expected/],
    ['more classes than scores', option({ num_classes: 9 }), /reads boxes of \[1,16,4\], scores of \[1,16,3\]/],
    [
      'anchors of another count',
      { anchors: { dims: [15, 4], data: f32(...new Array(60).fill(0.5)) } },
      /anchors of \[15,4\]/,
    ],
    [
      'anchors of three numbers',
      { anchors: { dims: [16, 3], data: f32(...new Array(48).fill(0.5)) } },
      /anchors of \[16,3\]/,
    ],
    ['an anchor that is NaN', { anchors: { data: f32(...new Array(63).fill(0.5), NaN) } }, /NaN among its anchors/],
    [
      'anchors without bytes',
      { anchors: { data: new Uint8Array(8) } },
      /anchors" is \[16,4\] of FLOAT32 and has 8 bytes/,
    ],
    ['anchors that are computed', { operator: { inputs: ['boxes', 'scores', 'boxes'] } }, /computes its input 2/],
    ['one input', { operator: { inputs: ['boxes'] } }, /an output is tensor -1/],
    ['inputs that are not there', { operator: { inputs: [99, 98, 97] } }, /is tensor 99/],
    ['the same head twice', { operator: { inputs: ['boxes', 'boxes', 'anchors'] } }, /two outputs named "boxes"/],
    [
      'a name that nobody knows',
      { operator: { custom: { code: 'Other', options: sound } } },
      /"found boxes" \(Other\)/,
    ],
  ];

  it.each(damaged)('%s ends in a typed error', async (_, spec, message) => {
    const bytes = tfliteDetector(spec);
    const error = await cheaply(() => loadGraph({ name: 'm.tflite', bytes }).catch((caught: unknown) => caught));
    expect(error).toBeInstanceOf(MobileNetError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/^m\.tflite/);
  });
});
