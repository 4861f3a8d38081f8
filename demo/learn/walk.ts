import { byId } from '../ui/dom.ts';
import { integer } from '../ui/format.ts';
import type { Lesson } from './lesson.ts';
import { t, unbroken } from './strings/language.ts';

/** The five numbers of the lesson one after another. `onStep` is told at which share of the race each ends. */
export function wireWalk(onStep: (step: number) => void): {
  readonly set: (lesson: Lesson) => void;
  readonly show: () => void;
} {
  const back = byId('walk-back', HTMLButtonElement);
  const next = byId('walk-next', HTMLButtonElement);
  const title = byId('walk-title', HTMLParagraphElement);
  const text = byId('walk-text', HTMLParagraphElement);
  const where = byId('walk-step', HTMLParagraphElement);
  let lesson: Lesson | null = null;
  let step = 0;

  const show = () => {
    if (!lesson) return;
    const { sizes, counts } = lesson;
    const { walk, stepOf } = t();
    const sum = counts.depthwise + counts.pointwise;
    const [head, body] = walk[step]!({
      ...sizes,
      out: counts.outputSide,
      normal: integer(counts.normal),
      depthwise: integer(counts.depthwise),
      pointwise: integer(counts.pointwise),
      sum: integer(sum),
      ratio: (sum / counts.normal).toFixed(2),
    });
    title.textContent = head;
    text.textContent = unbroken(body);
    where.textContent = stepOf(step + 1, walk.length);
    back.disabled = step === 0;
    next.disabled = step === walk.length - 1;
  };
  const go = (to: number) => {
    step = to;
    show();
    onStep(step);
  };
  back.addEventListener('click', () => go(step - 1));
  next.addEventListener('click', () => go(step + 1));
  return {
    set(to) {
      lesson = to;
      show();
    },
    show,
  };
}
