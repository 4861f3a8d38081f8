import { byId, html } from '../ui/dom.ts';
import { clearMessage } from '../ui/message.ts';
import { wireBlocks } from './blocks.ts';
import { showCounts } from './counts.ts';
import { Lesson } from './lesson.ts';
import { Player } from './player.ts';
import type { Sizes } from './race.ts';
import { RaceView } from './race-view.ts';
import { fillTexts, setLanguage, t } from './strings/language.ts';
import { wireTry } from './try.ts';
import { wireWalk } from './walk.ts';

/** In the order of the lesson's texts. */
const presets: readonly Sizes[] = [
  { n: 6, f: 3, nc: 3, nk: 5 },
  { n: 6, f: 3, nc: 6, nk: 8 },
  { n: 6, f: 3, nc: 3, nk: 512 },
  { n: 30, f: 3, nc: 128, nk: 128 },
];

/** The Learn tab. */
export function startLearn(): void {
  const fields = {
    n: byId('learn-n', HTMLInputElement),
    f: byId('learn-f', HTMLInputElement),
    nc: byId('learn-nc', HTMLInputElement),
    nk: byId('learn-nk', HTMLInputElement),
  };
  const sliders = {
    n: byId('slide-n', HTMLInputElement),
    f: byId('slide-f', HTMLInputElement),
    nc: byId('slide-nc', HTMLInputElement),
    nk: byId('slide-nk', HTMLInputElement),
  };
  const message = byId('learn-message', HTMLDivElement);
  const play = byId('race-play', HTMLButtonElement);
  const note = byId('race-note', HTMLParagraphElement);
  const panel = byId('panel-learn', HTMLElement);
  const view = new RaceView();
  const trial = wireTry();
  const player = new Player(() => {
    view.show(player.time);
    play.textContent = player.playing ? t().pause : player.atEnd ? t().again : t().play;
  });

  /** Shows in the race what a step of the lesson speaks of: it ends where that step does. */
  const walk = wireWalk((step) => {
    if (!lesson) return;
    const { normal, depthwise, pointwise } = lesson.counts;
    player.seek([normal, depthwise, depthwise + pointwise, depthwise + pointwise, normal][step]!);
  });
  let lesson: Lesson | null = null;

  const read = (): Sizes | null => {
    const f = fields.f;
    fields.f.setCustomValidity('');
    if (f.validity.valid && fields.n.validity.valid && f.valueAsNumber > fields.n.valueAsNumber) {
      f.setCustomValidity(t().filterTooLarge(f.value, fields.n.value));
    }
    const wrong = Object.values(fields).find((field) => !field.validity.valid);
    for (const field of Object.values(fields)) field.setAttribute('aria-invalid', String(!field.validity.valid));
    if (wrong) {
      const name = wrong.labels?.[0]?.querySelector('span')?.textContent ?? '';
      const text = wrong.validity.customError ? wrong.validationMessage : t().wholeNumber(name, wrong.min, wrong.max);
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
    lesson = new Lesson(sizes);
    view.set(lesson);
    player.reset(Math.max(lesson.counts.normal, lesson.counts.depthwise + lesson.counts.pointwise), sizes.f ** 2, 24);
    note.textContent = t().paceNote(sizes.f ** 2, Math.max(sizes.nc, sizes.nk) > 6);
    showCounts(
      byId('counts', HTMLDivElement),
      byId('ratio', HTMLDivElement),
      sizes,
      lesson.counts,
      lesson.expectedRatio,
    );
    trial.set(lesson);
    walk.set(lesson);
    for (const [name, slider] of Object.entries(sliders)) slider.value = fields[name as keyof Sizes].value;
  };

  byId('learn-form', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
  for (const field of Object.values(fields)) field.addEventListener('input', update);
  for (const [name, slider] of Object.entries(sliders)) {
    slider.addEventListener('input', () => {
      fields[name as keyof Sizes].value = slider.value;
      update();
    });
  }
  const showPresets = () =>
    byId('presets', HTMLFieldSetElement).replaceChildren(
      ...presets.map((sizes, i) => {
        const button = html('button', { type: 'button', class: 'button' }, t().presets[i]!);
        button.addEventListener('click', () => {
          for (const [name, field] of Object.entries(fields)) field.value = String(sizes[name as keyof Sizes]);
          update();
        });
        return button;
      }),
    );
  const showBlocks = wireBlocks();
  const language = byId('learn-language', HTMLDivElement);
  const speak = () => {
    fillTexts(panel);
    showPresets();
    showBlocks();
    for (const button of language.querySelectorAll('button'))
      button.setAttribute('aria-pressed', String(button.dataset.language === t().code));
    update();
  };
  language.addEventListener('click', ({ target }) => {
    const code = target instanceof HTMLElement ? target.dataset.language : undefined;
    if (!code) return;
    setLanguage(code);
    speak();
  });
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
  speak();
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) player.play();
}
