import type { Point, Stroke } from './drawing.ts';

/**
 * How the symbol model was trained to see a drawing (detypify-service 0.3.0, dist/index.mjs, `drawStrokes`): on a
 * square of 224, the drawing's longer side fills all but a margin of 10 on each side, centred, in white lines 8 wide
 * on black, points rounded to whole pixels.
 */
const TRAINED_SIZE = 224;
const MARGIN = 10;
const LINE_WIDTH = 8;

/** Strokes in pixels of a `width` × `height` picture, placed as the model expects. Aspect is kept. */
export function placeStrokes(strokes: readonly Stroke[], width: number, height: number): Stroke[] {
  const points = strokes.flat();
  if (points.length === 0) return [];
  const [left, right] = extent(points.map(({ x }) => x));
  const [top, bottom] = extent(points.map(({ y }) => y));
  const size = Math.min(width, height);
  const longer = Math.max(right - left, bottom - top);
  const scale = longer > 1e-6 ? (size * (1 - (2 * MARGIN) / TRAINED_SIZE)) / longer : 1;
  const place = ({ x, y }: Point): Point => ({
    x: Math.round((x - (left + right) / 2) * scale + width / 2),
    y: Math.round((y - (top + bottom) / 2) * scale + height / 2),
  });
  return strokes.map((stroke) => stroke.map(place));
}

/** The drawing as the network's picture: white on black, RGBA. */
export function rasterize(strokes: readonly Stroke[], width: number, height: number): ImageData {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const lineWidth = (LINE_WIDTH * Math.min(width, height)) / TRAINED_SIZE;
  context.fillStyle = 'black';
  context.fillRect(0, 0, width, height);
  context.strokeStyle = 'white';
  context.lineWidth = lineWidth;
  for (const stroke of placeStrokes(strokes, width, height)) {
    context.beginPath();
    for (const { x, y } of isDot(stroke) ? dot(stroke[0]!, lineWidth) : stroke) context.lineTo(x, y);
    context.stroke();
  }
  return context.getImageData(0, 0, width, height);
}

/** A tap has no length, and a line without length leaves no mark: it becomes a line as long as it is wide. */
const isDot = (stroke: Stroke): boolean => stroke.every(({ x, y }) => x === stroke[0]!.x && y === stroke[0]!.y);
const dot = ({ x, y }: Point, width: number): Stroke => [
  { x: x - width / 2, y },
  { x: x + width / 2, y },
];

function extent(values: readonly number[]): [number, number] {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return [lowest, highest];
}
