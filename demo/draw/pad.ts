import type { Drawing, Point } from './drawing.ts';

/** Width of the visible line as a share of the pad: that of the network's picture. */
const LINE_SHARE = 8 / 224;
const STEP = 1 / 32;
const SMALL_STEP = 1 / 128;

export interface PadOptions {
  readonly canvas: HTMLCanvasElement;
  readonly drawing: Drawing;
  /** Told when the keyboard's pen goes down or up. */
  readonly onPen: (down: boolean) => void;
}

/** The canvas that is drawn on: by mouse, pen or touch (the first finger only), or by a pen that the keyboard moves. */
export function wirePad({ canvas, drawing, onPen }: PadOptions): void {
  const context = canvas.getContext('2d')!;
  let pointer: number | null = null;
  let current: Point[] = [];
  let pen: { x: number; y: number; down: boolean } = { x: 0.5, y: 0.5, down: false };
  let byKeyboard = false;

  const paint = () => {
    const { width, height } = canvas;
    const style = getComputedStyle(canvas);
    context.clearRect(0, 0, width, height);
    context.lineCap = context.lineJoin = 'round';
    context.lineWidth = LINE_SHARE * width;
    context.strokeStyle = style.getPropertyValue('--ink');
    const strokes = current.length > 0 ? [...drawing.strokes, current] : drawing.strokes;
    for (const stroke of strokes) {
      context.beginPath();
      // A point alone needs a line to itself to show its round cap.
      context.moveTo(stroke[0]!.x * width, stroke[0]!.y * height);
      for (const { x, y } of stroke) context.lineTo(x * width, y * height);
      context.stroke();
    }
    if (byKeyboard && document.activeElement === canvas) {
      context.strokeStyle = context.fillStyle = style.getPropertyValue('--accent');
      context.lineWidth = Math.max(2, width / 160);
      context.beginPath();
      context.arc(pen.x * width, pen.y * height, LINE_SHARE * width, 0, 2 * Math.PI);
      if (pen.down) context.fill();
      else context.stroke();
    }
  };

  const finish = () => {
    const stroke = current;
    current = [];
    drawing.add(stroke);
    paint();
  };

  const at = ({ clientX, clientY }: PointerEvent): Point => {
    const box = canvas.getBoundingClientRect();
    return { x: clamp((clientX - box.left) / box.width), y: clamp((clientY - box.top) / box.height) };
  };

  canvas.addEventListener('pointerdown', (event) => {
    if (pointer !== null || event.button !== 0) return;
    liftPen();
    byKeyboard = false;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    current = [at(event)];
    paint();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (event.pointerId !== pointer) return;
    // Not there on addresses of http:// but this machine's own.
    const events = event.getCoalescedEvents?.() ?? [];
    current.push(...(events.length > 0 ? events : [event]).map(at));
    paint();
  });
  for (const type of ['pointerup', 'pointercancel', 'lostpointercapture'] as const) {
    canvas.addEventListener(type, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      finish();
    });
  }

  const liftPen = () => {
    if (!pen.down) return;
    pen.down = false;
    onPen(false);
    finish();
  };

  canvas.addEventListener('keydown', (event) => {
    const step = event.shiftKey ? SMALL_STEP : STEP;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const toggles = event.key === ' ' || event.key === 'Enter';
    if ((!move && !toggles) || pointer !== null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    byKeyboard = true;
    if (move) {
      pen = { ...pen, x: clamp(pen.x + step * move[0]!), y: clamp(pen.y + step * move[1]!) };
      if (pen.down) current.push({ x: pen.x, y: pen.y });
    } else if (!event.repeat) {
      if (pen.down) liftPen();
      else {
        pen.down = true;
        current = [{ x: pen.x, y: pen.y }];
        onPen(true);
      }
    }
    paint();
  });
  canvas.addEventListener('focus', () => {
    byKeyboard = canvas.matches(':focus-visible');
    paint();
  });
  canvas.addEventListener('blur', () => {
    liftPen();
    paint();
  });

  drawing.addEventListener('change', paint);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);
  new ResizeObserver(() => {
    const size = Math.round(canvas.clientWidth * devicePixelRatio);
    if (size === 0 || size === canvas.width) return;
    canvas.width = canvas.height = size;
    paint();
  }).observe(canvas);
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
