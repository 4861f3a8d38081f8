/** Sides as fractions of the network's input, from the top left; outside 0 … 1 where a box leaves the picture. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export interface Detection extends Box {
  readonly index: number;
  /** From `labels`; null without. */
  readonly label: string | null;
  readonly score: number;
}

/** Intersection over union of two boxes: 0 … 1. */
export function overlap(a: Box, b: Box): number {
  const area = (box: Box) => Math.max(0, box.bottom - box.top) * Math.max(0, box.right - box.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  if (height <= 0 || width <= 0) return 0;
  return (height * width) / (area(a) + area(b) - height * width);
}
