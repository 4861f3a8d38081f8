/** SSD's heads → boxes. */
import { UsageError } from '../errors.ts';
import type { SsdDecoding } from '../graph/decoding.ts';
import { type Box, type Detection, overlap } from './box.ts';

/** SSD's two heads, batch 1. */
export interface SsdHeads {
  /** `[1, anchors, 4]`: y, x, height and width relative to the anchor. */
  readonly boxes: Float32Array;
  /** `[1, anchors, background + classes]`; there may be no column for the background. */
  readonly scores: Float32Array;
}

export interface SsdOptions extends Omit<SsdDecoding, 'kind' | 'boxes' | 'scores'> {
  readonly labels?: readonly string[] | undefined;
}

/**
 * Boxes, the best first. Of anchor a and the four numbers t of a box, with `scales` s, in float64:
 *
 *     centre y = t.y / s.y · a.height + a.y,  height = exp(t.height / s.height) · a.height,  x and width likewise
 *
 * (Liu et al. 2016, "SSD: Single Shot MultiBox Detector", section 2.2). Suppression is greedy, the best score first, among
 * what has `minScore` at least: a box goes where it shares more than `maxOverlap` with one that was kept. Where
 * `maxPerClass` is null, an anchor takes part with its best class only, `maxDetections` of them are kept, and each is
 * told once for each of its `maxClassesPerDetection` best classes, whatever the score of the others. Else each class is
 * by itself, keeps `maxPerClass`, and the `maxDetections` best of all are told. Equal scores keep the order of the
 * anchors, then of the classes. (TensorFlow Lite's `TFLite_Detection_PostProcess`, "fast" and "regular".)
 *
 * Throws `UsageError` where the heads' lengths do not fit.
 */
export function decodeSsd(heads: SsdHeads, options: SsdOptions): Detection[] {
  const { anchors, classes, labels, maxPerClass, maxDetections } = options;
  const count = anchors.length / 4;
  const columns = heads.scores.length / count;
  if (heads.boxes.length !== anchors.length || (columns !== classes && columns !== classes + 1)) {
    throw new UsageError(
      `SSD's heads have ${heads.boxes.length} and ${heads.scores.length} values, expected ${anchors.length} (boxes of ` +
        `${count} anchors) and ${count * (classes + 1)} or ${count * classes} (scores of ${classes} classes)`,
    );
  }
  const score = (anchor: number, index: number) => {
    const value = heads.scores[anchor * columns + columns - classes + index]!;
    return options.logits ? 1 / (1 + Math.exp(-value)) : value;
  };
  const told = (anchor: number, index: number): Detection => ({
    index,
    label: labels?.[index] ?? null,
    score: score(anchor, index),
    ...boxOf(heads.boxes, anchor, options),
  });
  const all = Array.from({ length: classes }, (_, index) => index);
  if (maxPerClass !== null) {
    const kept = all.flatMap((index) =>
      suppressed(count, (anchor) => score(anchor, index), heads.boxes, options, maxPerClass).map((anchor) =>
        told(anchor, index),
      ),
    );
    return kept.sort((a, b) => b.score - a.score).slice(0, maxDetections);
  }
  const best = Float64Array.from({ length: count }, (_, anchor) =>
    all.reduce((most, index) => Math.max(most, score(anchor, index)), -Infinity),
  );
  return suppressed(count, (anchor) => best[anchor]!, heads.boxes, options, maxDetections).flatMap((anchor) =>
    all
      .sort((a, b) => score(anchor, b) - score(anchor, a) || a - b)
      .slice(0, options.maxClassesPerDetection)
      .map((index) => told(anchor, index)),
  );
}

/** The anchors that are kept, the best first; `most` of them. */
function suppressed(
  count: number,
  scoreOf: (anchor: number) => number,
  boxes: Float32Array,
  options: SsdOptions,
  most: number,
): number[] {
  const scores = Float64Array.from({ length: count }, (_, anchor) => scoreOf(anchor));
  const candidates = [...scores.keys()].filter((anchor) => scores[anchor]! >= options.minScore);
  const kept: (readonly [number, Box])[] = [];
  for (const anchor of candidates.sort((a, b) => scores[b]! - scores[a]!)) {
    if (kept.length >= most) break;
    const box = boxOf(boxes, anchor, options);
    if (kept.every(([, other]) => overlap(other, box) <= options.maxOverlap)) kept.push([anchor, box]);
  }
  return kept.map(([anchor]) => anchor);
}

function boxOf(boxes: Float32Array, anchor: number, { anchors, scales }: SsdOptions): Box {
  const [y, x, height, width] = scales.map((scale, i) => boxes[4 * anchor + i]! / scale) as [
    number,
    number,
    number,
    number,
  ];
  const [middle, centre, tall, wide] = anchors.slice(4 * anchor, 4 * anchor + 4) as [number, number, number, number];
  const [cy, cx] = [y * tall + middle, x * wide + centre];
  const [h, w] = [(Math.exp(height) * tall) / 2, (Math.exp(width) * wide) / 2];
  return { top: cy - h, left: cx - w, bottom: cy + h, right: cx + w };
}
