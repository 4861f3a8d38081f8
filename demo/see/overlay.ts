/** What a network found, drawn over the picture. */
import type { DetectedBox, PosedPerson, PoseKeypointName, Segmentation } from '../../src/index.ts';

/** Told apart by colour-blind people too, and on any picture, as each is drawn on a dark edge. */
const colours = ['#ffb000', '#4cc9f0', '#ff6b9d', '#7bd389', '#c79bff', '#ff8c42'];

export const colourOf = (index: number): string => colours[index % colours.length]!;

/** Least score of what is drawn. */
export const leastScore = 0.3;

const context = (canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D => {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const drawing = canvas.getContext('2d')!;
  drawing.clearRect(0, 0, width, height);
  drawing.lineJoin = 'round';
  drawing.lineCap = 'round';
  return drawing;
};

/** Twice, so that a line is seen on dark and on light. */
function stroke(drawing: CanvasRenderingContext2D, unit: number, colour: string): void {
  drawing.strokeStyle = 'rgb(0 0 0 / 65%)';
  drawing.lineWidth = 4.5 * unit;
  drawing.stroke();
  drawing.strokeStyle = colour;
  drawing.lineWidth = 2.5 * unit;
  drawing.stroke();
}

/** Of lines and letters, in pixels of a picture of this size: on a small screen as large as can be read there. */
function unitOf({ clientWidth, clientHeight }: HTMLCanvasElement, width: number, height: number): number {
  const shown = Math.min(clientWidth / width, clientHeight / height) || 1;
  return Math.max(Math.max(width, height) / 640, 0.8 / shown);
}

export function drawBoxes(
  canvas: HTMLCanvasElement,
  boxes: readonly DetectedBox[],
  width: number,
  height: number,
): void {
  const drawing = context(canvas, width, height);
  const unit = unitOf(canvas, width, height);
  drawing.font = `600 ${15 * unit}px system-ui, sans-serif`;
  drawing.textBaseline = 'middle';
  const backwards = [...boxes].reverse();
  for (const { index, box } of backwards) {
    drawing.beginPath();
    drawing.rect(...box);
    stroke(drawing, unit, colourOf(index));
  }
  // Above all lines.
  for (const { index, label, score, box } of backwards) {
    const [x, y] = box;
    const text = `${label ?? `class ${index}`} ${Math.round(100 * score)} %`;
    const wide = drawing.measureText(text).width + 12 * unit;
    const left = Math.min(Math.max(0, x), width - wide);
    const top = Math.max(0, y - 24 * unit);
    drawing.fillStyle = 'rgb(0 0 0 / 78%)';
    drawing.fillRect(left, top, wide, 24 * unit);
    drawing.fillStyle = colourOf(index);
    drawing.fillText(text, left + 6 * unit, top + 12.5 * unit);
  }
}

const bones: readonly (readonly [PoseKeypointName, PoseKeypointName])[] = [
  ['left shoulder', 'right shoulder'],
  ['left hip', 'right hip'],
  ...(['left', 'right'] as const).flatMap((side): [PoseKeypointName, PoseKeypointName][] => [
    [`${side} shoulder`, `${side} elbow`],
    [`${side} elbow`, `${side} wrist`],
    [`${side} shoulder`, `${side} hip`],
    [`${side} hip`, `${side} knee`],
    [`${side} knee`, `${side} ankle`],
    ['nose', `${side} eye`],
    [`${side} eye`, `${side} ear`],
  ]),
];

export function drawPoses(
  canvas: HTMLCanvasElement,
  people: readonly PosedPerson[],
  width: number,
  height: number,
): void {
  const drawing = context(canvas, width, height);
  const unit = unitOf(canvas, width, height);
  for (const [person, { keypoints }] of people.entries()) {
    const seen = new Map(keypoints.filter(({ score }) => score >= leastScore).map((point) => [point.name, point]));
    for (const [from, to] of bones) {
      const [a, b] = [seen.get(from), seen.get(to)];
      if (!a || !b) continue;
      drawing.beginPath();
      drawing.moveTo(a.x, a.y);
      drawing.lineTo(b.x, b.y);
      stroke(drawing, unit, colourOf(person));
    }
    for (const { x, y } of seen.values()) {
      drawing.beginPath();
      drawing.arc(x, y, 4 * unit, 0, 2 * Math.PI);
      drawing.fillStyle = '#fff';
      drawing.fill();
      stroke(drawing, unit * 0.6, colourOf(person));
    }
  }
}

const rgb = (hex: string): [number, number, number] =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];

/** Foreground in colour, background dimmed; of several classes each in its own. */
export function drawMask(canvas: HTMLCanvasElement, { mask, width, height, foreground }: Segmentation): void {
  const drawing = context(canvas, width, height);
  const pixels = drawing.createImageData(width, height);
  const palette = colours.map(rgb);
  for (let i = 0; i < mask.length; i++) {
    const index = mask[i]!;
    const share = foreground ? foreground[i]! : index === 0 ? 0 : 1;
    const [red, green, blue] = index === 0 ? [0, 0, 0] : palette[(index - 1) % palette.length]!;
    pixels.data.set([red, green, blue, index === 255 ? 0 : index === 0 ? 130 * (1 - share) : 110], 4 * i);
  }
  drawing.putImageData(pixels, 0, 0);
}

/** The positive part of a map, of which the largest value is opaque; `strength` 0 … 1 is that opacity. */
export function drawMap(
  canvas: HTMLCanvasElement,
  heat: Float32Array,
  width: number,
  height: number,
  strength: number,
): void {
  const drawing = context(canvas, width, height);
  let most = 0;
  for (const value of heat) if (value > most) most = value;
  const pixels = drawing.createImageData(width, height);
  for (let i = 0; i < heat.length; i++) {
    const share = most > 0 && heat[i]! > 0 ? heat[i]! / most : 0;
    // Where it does not look the picture goes dark; where it does, it glows.
    const dark = 0.92 * strength * (1 - share);
    const glow = 0.5 * strength * share ** 3;
    const alpha = 1 - (1 - dark) * (1 - glow);
    const warm = alpha > 0 ? glow / alpha : 0;
    pixels.data.set([10 + 245 * warm, 12 + 128 * warm, 30 * (1 - warm), 255 * alpha], 4 * i);
  }
  drawing.putImageData(pixels, 0, 0);
}

export const clearOverlay = (canvas: HTMLCanvasElement): void => void context(canvas, canvas.width, canvas.height);
