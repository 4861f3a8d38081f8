/** Pictures that the page paints itself, so that there is something to look at before anybody hands over a photograph. */

type Paint = (context: CanvasRenderingContext2D, width: number, height: number) => void;

export interface Painting {
  readonly id: string;
  readonly title: string;
  readonly paint: Paint;
}

/** A light that falls from above left on a round body. */
function lit(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  stops: readonly string[],
): CanvasGradient {
  const gradient = context.createRadialGradient(
    x - radius * 0.35,
    y - radius * 0.4,
    radius * 0.05,
    x,
    y,
    radius * 1.05,
  );
  for (const [i, colour] of stops.entries()) gradient.addColorStop(i / (stops.length - 1), colour);
  return gradient;
}

function ball(context: CanvasRenderingContext2D, x: number, y: number, radius: number, stops: readonly string[]): void {
  context.fillStyle = lit(context, x, y, radius, stops);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function shade(context: CanvasRenderingContext2D, width: number, height: number, top: string, bottom: string): void {
  const gradient = context.createLinearGradient(0, 0, 0, height);
  gradient.addColorStop(0, top);
  gradient.addColorStop(1, bottom);
  context.fillStyle = gradient;
  context.fillRect(0, 0, width, height);
}

const person: Paint = (context, width, height) => {
  shade(context, width, height, '#a9c7e8', '#e9eef2');
  context.fillStyle = '#8fae74';
  context.fillRect(0, height * 0.86, width, height * 0.14);
  const [x, unit] = [width / 2, height / 100];
  const limb = (points: readonly (readonly [number, number])[], thick: number, colour: string) => {
    context.strokeStyle = colour;
    context.lineWidth = thick * unit;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    context.beginPath();
    for (const [i, [px, py]] of points.entries()) context[i === 0 ? 'moveTo' : 'lineTo'](x + px * unit, py * unit);
    context.stroke();
  };
  const [skin, shirt, trousers] = ['#d9a27c', '#a83232', '#27364f'];
  limb(
    [
      [-4, 56],
      [-6, 73],
      [-7, 90],
    ],
    7.5,
    trousers,
  );
  limb(
    [
      [4, 56],
      [6, 73],
      [8, 90],
    ],
    7.5,
    trousers,
  );
  limb(
    [
      [-7, 92],
      [-11, 92.5],
    ],
    4,
    '#3b2a20',
  );
  limb(
    [
      [8, 92],
      [12, 92.5],
    ],
    4,
    '#3b2a20',
  );
  limb(
    [
      [-9, 30],
      [-15, 43],
      [-13, 55],
    ],
    5,
    skin,
  );
  limb(
    [
      [9, 30],
      [18, 26],
      [21, 12],
    ],
    5,
    skin,
  );
  limb(
    [
      [-9, 30],
      [-13, 38],
    ],
    6.5,
    shirt,
  );
  limb(
    [
      [9, 30],
      [14, 28],
    ],
    6.5,
    shirt,
  );
  context.fillStyle = shirt;
  context.beginPath();
  context.moveTo(x - 11 * unit, 27 * unit);
  context.quadraticCurveTo(x, 23 * unit, x + 11 * unit, 27 * unit);
  context.lineTo(x + 8.5 * unit, 58 * unit);
  context.lineTo(x - 8.5 * unit, 58 * unit);
  context.closePath();
  context.fill();
  limb(
    [
      [0, 21],
      [0, 25],
    ],
    5,
    skin,
  );
  context.fillStyle = '#3a2718';
  context.beginPath();
  context.ellipse(x, 13 * unit, 7.4 * unit, 8.4 * unit, 0, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = lit(context, x, 15 * unit, 7 * unit, ['#efc3a2', skin, '#b98261']);
  context.beginPath();
  context.ellipse(x, 15 * unit, 6 * unit, 7.4 * unit, 0, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = '#2b2019';
  for (const side of [-2.4, 2.4]) {
    context.beginPath();
    context.ellipse(x + side * unit, 14 * unit, 0.8 * unit, 0.7 * unit, 0, 0, 2 * Math.PI);
    context.fill();
  }
  context.strokeStyle = '#9a4d43';
  context.lineWidth = 0.7 * unit;
  context.beginPath();
  context.arc(x, 16.5 * unit, 2.8 * unit, 0.2 * Math.PI, 0.8 * Math.PI);
  context.stroke();
};

const clock: Paint = (context, width, height) => {
  shade(context, width, height, '#c9b79c', '#a48f6f');
  const [x, y, radius] = [width / 2, height / 2, height * 0.4];
  ball(context, x, y, radius, ['#5b4636', '#3a2a1e', '#20150d']);
  ball(context, x, y, radius * 0.88, ['#ffffff', '#f7f5ee', '#d9d5c6']);
  context.fillStyle = '#1d1d1d';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `600 ${radius * 0.17}px serif`;
  for (let hour = 1; hour <= 12; hour++) {
    const angle = (hour / 6) * Math.PI;
    context.fillText(String(hour), x + Math.sin(angle) * radius * 0.7, y - Math.cos(angle) * radius * 0.7);
  }
  context.strokeStyle = '#1d1d1d';
  for (let minute = 0; minute < 60; minute++) {
    const angle = (minute / 30) * Math.PI;
    const inner = minute % 5 === 0 ? 0.8 : 0.83;
    context.lineWidth = radius * (minute % 5 === 0 ? 0.02 : 0.008);
    context.beginPath();
    context.moveTo(x + Math.sin(angle) * radius * inner, y - Math.cos(angle) * radius * inner);
    context.lineTo(x + Math.sin(angle) * radius * 0.85, y - Math.cos(angle) * radius * 0.85);
    context.stroke();
  }
  for (const [turn, length, thick] of [
    [10.15 / 12, 0.42, 0.045],
    [9 / 60, 0.64, 0.03],
  ] as const) {
    const angle = turn * 2 * Math.PI;
    context.lineWidth = radius * thick;
    context.lineCap = 'round';
    context.beginPath();
    context.moveTo(x - Math.sin(angle) * radius * 0.1, y + Math.cos(angle) * radius * 0.1);
    context.lineTo(x + Math.sin(angle) * radius * length, y - Math.cos(angle) * radius * length);
    context.stroke();
  }
  ball(context, x, y, radius * 0.04, ['#666', '#111']);
};

const fruit: Paint = (context, width, height) => {
  shade(context, width, height, '#e7e2d8', '#cfc7b8');
  context.fillStyle = '#8a6242';
  context.fillRect(0, height * 0.68, width, height * 0.32);
  const unit = height / 100;
  const orange = ['#ffd08a', '#f7941d', '#d9700a', '#a84f00'];
  for (const [px, py, radius] of [
    [-34, 62, 19],
    [4, 60, 21],
    [40, 63, 18],
    [-15, 38, 18],
    [23, 38, 17],
  ] as const) {
    context.fillStyle = 'rgb(40 25 10 / 28%)';
    context.beginPath();
    context.ellipse(
      width / 2 + (px + 4) * unit,
      (py + radius * 0.9) * unit,
      radius * unit,
      radius * 0.25 * unit,
      0,
      0,
      2 * Math.PI,
    );
    context.fill();
    ball(context, width / 2 + px * unit, py * unit, radius * unit, orange);
    context.fillStyle = '#5f7a2c';
    context.beginPath();
    context.arc(width / 2 + (px + 2) * unit, (py - radius * 0.72) * unit, 1.3 * unit, 0, 2 * Math.PI);
    context.fill();
  }
};

export const paintings: readonly Painting[] = [
  { id: 'person', title: 'A person', paint: person },
  { id: 'oranges', title: 'Oranges', paint: fruit },
  { id: 'clock', title: 'A clock', paint: clock },
];

/** A painting as a canvas of 800 × 600. */
export function painted({ paint }: Painting): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [800, 600];
  paint(canvas.getContext('2d')!, canvas.width, canvas.height);
  return canvas;
}
