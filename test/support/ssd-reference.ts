/**
 * TensorFlow Lite's TFLite_Detection_PostProcess in float64, written from its definition (its kernel's comments and the
 * Object Detection API's `multiclass_non_max_suppression`), in the plainest loops.
 */

export interface SsdCase {
  readonly boxes: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  readonly anchors: ArrayLike<number>;
  readonly columns: number;
  readonly classes: number;
  readonly scales: readonly number[];
  readonly maxDetections: number;
  readonly maxClassesPerDetection: number;
  readonly maxPerClass: number | null;
  readonly minScore: number;
  readonly maxOverlap: number;
}

/** ymin, xmin, ymax, xmax, class, score. */
export type Row = [number, number, number, number, number, number];

export function postProcess(given: SsdCase): Row[] {
  const count = given.anchors.length / 4;
  const corners: number[][] = [];
  for (let i = 0; i < count; i++) {
    const [ty, tx, th, tw] = [0, 1, 2, 3].map((k) => given.boxes[4 * i + k]!) as [number, number, number, number];
    const [ay, ax, ah, aw] = [0, 1, 2, 3].map((k) => given.anchors[4 * i + k]!) as [number, number, number, number];
    const yCentre = (ty / given.scales[0]!) * ah + ay;
    const xCentre = (tx / given.scales[1]!) * aw + ax;
    const halfHeight = 0.5 * Math.exp(th / given.scales[2]!) * ah;
    const halfWidth = 0.5 * Math.exp(tw / given.scales[3]!) * aw;
    corners.push([yCentre - halfHeight, xCentre - halfWidth, yCentre + halfHeight, xCentre + halfWidth]);
  }
  const scoreOf = (i: number, k: number) => given.scores[i * given.columns + (given.columns - given.classes) + k]!;
  if (given.maxPerClass !== null) {
    const found: Row[] = [];
    for (let k = 0; k < given.classes; k++) {
      const values = corners.map((_, i) => scoreOf(i, k));
      for (const i of singleClass(corners, values, given, given.maxPerClass)) {
        found.push([...corners[i]!, k, values[i]!] as Row);
      }
    }
    return found.sort((a, b) => b[5] - a[5]).slice(0, given.maxDetections);
  }
  const ranked = corners.map((_, i) =>
    [...Array(given.classes).keys()].sort((a, b) => scoreOf(i, b) - scoreOf(i, a) || a - b),
  );
  const best = ranked.map((order, i) => scoreOf(i, order[0]!));
  const rows: Row[] = [];
  for (const i of singleClass(corners, best, given, given.maxDetections)) {
    for (const k of ranked[i]!.slice(0, given.maxClassesPerDetection)) {
      rows.push([...corners[i]!, k, scoreOf(i, k)] as Row);
    }
  }
  return rows;
}

/** Greedy: the best that is left is kept, and takes with it all that overlap it too much. */
function singleClass(corners: number[][], scores: number[], { minScore, maxOverlap }: SsdCase, most: number): number[] {
  const left = new Set([...scores.keys()].filter((i) => scores[i]! >= minScore));
  const kept: number[] = [];
  while (left.size > 0 && kept.length < most) {
    let best = -1;
    for (const i of left) if (best < 0 || scores[i]! > scores[best]!) best = i;
    kept.push(best);
    left.delete(best);
    for (const i of [...left]) if (intersectionOverUnion(corners[best]!, corners[i]!) > maxOverlap) left.delete(i);
  }
  return kept;
}

export function intersectionOverUnion(a: readonly number[], b: readonly number[]): number {
  const area = (c: readonly number[]) => (c[2]! - c[0]!) * (c[3]! - c[1]!);
  if (area(a) <= 0 || area(b) <= 0) return 0;
  const height = Math.max(0, Math.min(a[2]!, b[2]!) - Math.max(a[0]!, b[0]!));
  const width = Math.max(0, Math.min(a[3]!, b[3]!) - Math.max(a[1]!, b[1]!));
  return (height * width) / (area(a) + area(b) - height * width);
}
