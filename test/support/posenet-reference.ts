/**
 * PoseNet's decoding in plain loops, from the definition (Papandreou et al. 2018, "PersonLab", section 3.1; the operator
 * PosenetDecoderOp, which it describes): slow, and written on its own.
 */

export interface ReferenceHeads {
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  /** Value of channel c in cell (y, x). */
  readonly heatmap: (y: number, x: number, c: number) => number;
  /** Short-range offset of keypoint k in cell (y, x), in pixels. */
  readonly offset: (y: number, x: number, k: number) => readonly [number, number];
  /** Displacement from keypoint `from` to keypoint `to`, its neighbour, in cell (y, x), in pixels. */
  readonly displacement: (y: number, x: number, from: number, to: number) => readonly [number, number];
}

export interface ReferencePose {
  score: number;
  /** In pixels of the input. */
  keypoints: { y: number; x: number; score: number }[];
}

/** Parent and child of each limb. */
const skeleton: readonly (readonly [number, number])[] = [
  [0, 1],
  [1, 3],
  [0, 2],
  [2, 4],
  [0, 5],
  [5, 7],
  [7, 9],
  [5, 11],
  [11, 13],
  [13, 15],
  [0, 6],
  [6, 8],
  [8, 10],
  [6, 12],
  [12, 14],
  [14, 16],
];

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

/** Bilinear interpolation at (y, x), inside the grid, of something that a cell has. */
function at<T extends number | readonly [number, number]>(y: number, x: number, of: (y: number, x: number) => T): T {
  const [y0, x0] = [Math.floor(y), Math.floor(x)];
  const corners: [number, number, number][] = [];
  for (const dy of [0, 1]) {
    for (const dx of [0, 1]) {
      const weight = (dy ? y - y0 : 1 - (y - y0)) * (dx ? x - x0 : 1 - (x - x0));
      if (weight > 0) corners.push([y0 + dy, x0 + dx, weight]);
    }
  }
  const mean = (part: (value: T) => number) => corners.reduce((sum, [cy, cx, w]) => sum + w * part(of(cy, cx)), 0);
  const sample = of(y0, x0);
  if (typeof sample === 'number') return mean((v) => v as number) as T;
  return [mean((v) => (v as readonly number[])[0]!), mean((v) => (v as readonly number[])[1]!)] as unknown as T;
}

function referencePoses(
  heads: ReferenceHeads,
  options: { maxPoses: number; minScore: number; minPoseScore: number; radius: number },
): ReferencePose[] {
  const { height, width, stride } = heads;
  const within = (v: number, length: number) => Math.max(0, Math.min(length - 1, v));
  const moved = (y: number, x: number, [dy, dx]: readonly [number, number]) =>
    [within(y + dy / stride, height), within(x + dx / stride, width)] as const;
  const far = (a: readonly [number, number], b: readonly [number, number]) =>
    (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 > (options.radius / stride) ** 2;

  // Local maxima of every heatmap, the best first.
  const roots: { k: number; logit: number; place: readonly [number, number] }[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < 17; k++) {
        const logit = heads.heatmap(y, x, k);
        if (sigmoid(logit) < options.minScore) continue;
        let best = logit;
        for (let v = y - 1; v <= y + 1; v++) {
          for (let u = x - 1; u <= x + 1; u++) {
            if (v >= 0 && v < height && u >= 0 && u < width) best = Math.max(best, heads.heatmap(v, u, k));
          }
        }
        if (best === logit) roots.push({ k, logit, place: moved(y, x, heads.offset(y, x, k)) });
      }
    }
  }
  roots.sort((a, b) => b.logit - a.logit);

  const people: { places: (readonly [number, number])[]; scores: number[]; score: number }[] = [];
  for (const root of roots) {
    if (people.length >= options.maxPoses) break;
    if (!people.every(({ places }) => far(places[root.k]!, root.place))) continue;
    const places: (readonly [number, number])[] = [];
    const scores: number[] = [];
    const logitOf = (place: readonly [number, number], k: number) =>
      at(place[0], place[1], (y, x) => heads.heatmap(y, x, k));
    const candidates = new Map([[root.k, { place: root.place, logit: logitOf(root.place, root.k) }]]);
    for (;;) {
      // The most likely keypoint that is not taken. One that two limbs lead to is taken where it is more likely.
      let next = -1;
      for (const [k, { logit }] of candidates) if (next < 0 || logit > candidates.get(next)!.logit) next = k;
      if (next < 0) break;
      const { place, logit } = candidates.get(next)!;
      candidates.delete(next);
      places[next] = place;
      scores[next] = sigmoid(logit);
      for (const limb of skeleton) {
        const other = limb[0] === next ? limb[1] : limb[1] === next ? limb[0] : -1;
        if (other < 0 || places[other]) continue;
        const from = next;
        let target = moved(
          place[0],
          place[1],
          at(place[0], place[1], (y, x) => heads.displacement(y, x, from, other)),
        );
        for (let i = 0; i < 5; i++) {
          target = moved(
            target[0],
            target[1],
            at(target[0], target[1], (y, x) => heads.offset(y, x, other)),
          );
        }
        candidates.set(other, { place: target, logit: logitOf(target, other) });
      }
    }
    const score = scores.reduce((a, b) => a + b, 0) / 17;
    if (score >= options.minPoseScore) people.push({ places, scores, score });
  }

  // Keypoints that a better person has, count nothing.
  people.sort((a, b) => b.score - a.score);
  return people
    .map(({ places, scores }, i) => {
      const own = scores.filter((_, k) => people.slice(0, i).every((better) => far(better.places[k]!, places[k]!)));
      return {
        score: own.reduce((a, b) => a + b, 0) / 17,
        keypoints: places.map(([y, x], k) => ({ y: y * stride, x: x * stride, score: scores[k]! })),
      };
    })
    .filter(({ score }) => score >= options.minPoseScore)
    .sort((a, b) => b.score - a.score);
}

/** The same for tensors `[1, h, w, channels]`: y of every offset, then x. */
export function posesOfHeads(
  heads: Readonly<Record<'heatmaps' | 'offsets' | 'forward' | 'backward', Float32Array>>,
  [height, width]: readonly [number, number],
  stride: number,
  options: Parameters<typeof referencePoses>[1],
): ReferencePose[] {
  const value = (data: Float32Array, channels: number, y: number, x: number, c: number) =>
    data[(y * width + x) * channels + c]!;
  const pair = (data: Float32Array, count: number) => (y: number, x: number, k: number) =>
    [value(data, 2 * count, y, x, k), value(data, 2 * count, y, x, count + k)] as const;
  const limbOf = (a: number, b: number) => skeleton.findIndex(([parent, child]) => parent === a && child === b);
  return referencePoses(
    {
      ...{ height, width, stride },
      heatmap: (y, x, k) => value(heads.heatmaps, 17, y, x, k),
      offset: pair(heads.offsets, 17),
      displacement: (y, x, from, to) => {
        const ahead = limbOf(from, to);
        return ahead >= 0 ? pair(heads.forward, 16)(y, x, ahead) : pair(heads.backward, 16)(y, x, limbOf(to, from));
      },
    },
    options,
  );
}
