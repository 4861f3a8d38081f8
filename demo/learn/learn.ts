import { byId, html } from '../ui/dom.ts';
import { integer } from '../ui/format.ts';
import { clearMessage } from '../ui/message.ts';
import { showCounts } from './counts.ts';
import { Lesson } from './lesson.ts';
import { Player } from './player.ts';
import type { Sizes } from './race.ts';
import { RaceView } from './race-view.ts';
import { wireTry } from './try.ts';

const presets: readonly (readonly [string, Sizes])[] = [
  ['The lesson: 3 to 5 channels', { n: 6, f: 3, nc: 3, nk: 5 }],
  ['6 to 8 channels', { n: 6, f: 3, nc: 6, nk: 8 }],
  ['512 outputs', { n: 6, f: 3, nc: 3, nk: 512 }],
  ['A layer of MobileNet', { n: 30, f: 3, nc: 128, nk: 128 }],
];

/** The Learn tab. */
export function startLearn(): void {
  const fields = {
    n: byId('learn-n', HTMLInputElement),
    f: byId('learn-f', HTMLInputElement),
    nc: byId('learn-nc', HTMLInputElement),
    nk: byId('learn-nk', HTMLInputElement),
  };
  const message = byId('learn-message', HTMLDivElement);
  const play = byId('race-play', HTMLButtonElement);
  const note = byId('race-note', HTMLParagraphElement);
  const panel = byId('panel-learn', HTMLElement);
  const view = new RaceView();
  const trial = wireTry();
  const player = new Player(() => {
    view.show(player.time);
    play.textContent = player.playing ? 'Pause' : player.atEnd ? 'Play again' : 'Play';
  });

  const read = (): Sizes | null => {
    const f = fields.f;
    fields.f.setCustomValidity('');
    if (f.validity.valid && fields.n.validity.valid && f.valueAsNumber > fields.n.valueAsNumber) {
      f.setCustomValidity(`The filter (${f.value}) must not be larger than the input (${fields.n.value}).`);
    }
    const wrong = Object.values(fields).find((field) => !field.validity.valid);
    for (const field of Object.values(fields)) field.setAttribute('aria-invalid', String(!field.validity.valid));
    if (wrong) {
      const name = wrong.closest('label')?.querySelector('span')?.textContent ?? '';
      const text = wrong.validity.customError
        ? wrong.validationMessage
        : `${name} must be a whole number from ${wrong.min} to ${wrong.max}. The picture and the counts below are for the last valid numbers.`;
      message.replaceChildren(html('p', {}, text));
      message.hidden = false;
      return null;
    }
    clearMessage(message);
    return {
      n: fields.n.valueAsNumber,
      f: fields.f.valueAsNumber,
      nc: fields.nc.valueAsNumber,
      nk: fields.nk.valueAsNumber,
    };
  };

  const update = () => {
    const sizes = read();
    if (!sizes) return;
    const lesson = new Lesson(sizes);
    view.set(lesson);
    player.reset(Math.max(lesson.counts.normal, lesson.counts.depthwise + lesson.counts.pointwise), sizes.f ** 2, 24);
    note.textContent = `One step is ${integer(sizes.f ** 2)} ${sizes.f === 1 ? 'multiplication' : 'multiplications'}: one window of one channel. Both sides are given the same number of them, so the cheaper way ends first.${
      Math.max(sizes.nc, sizes.nk) > 6 ? ' More than six channels are drawn as six sheets.' : ''
    }`;
    showCounts(
      byId('counts', HTMLDivElement),
      byId('ratio', HTMLDivElement),
      sizes,
      lesson.counts,
      lesson.expectedRatio,
    );
    trial.set(lesson);
  };

  byId('learn-form', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
  for (const field of Object.values(fields)) field.addEventListener('input', update);
  byId('presets', HTMLFieldSetElement).replaceChildren(
    ...presets.map(([title, sizes]) => {
      const button = html('button', { type: 'button', class: 'button' }, title);
      button.addEventListener('click', () => {
        for (const [name, field] of Object.entries(fields)) field.value = String(sizes[name as keyof Sizes]);
        update();
      });
      return button;
    }),
  );
  play.addEventListener('click', () => (player.playing ? player.pause() : player.play()));
  byId('race-step', HTMLButtonElement).addEventListener('click', () => player.step());
  byId('race-restart', HTMLButtonElement).addEventListener('click', () => player.restart());
  new ResizeObserver(() => {
    if (panel.hidden) player.pause();
    else {
      view.resize();
      view.show(player.time);
    }
  }).observe(panel);
  update();
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) player.play();
}
