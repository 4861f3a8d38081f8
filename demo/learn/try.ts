import { load, type Model, seededInputs } from '../../src/index.ts';
import { spread } from '../compare/spread.ts';
import { deviceText } from '../ui/device.ts';
import { byId, html } from '../ui/dom.ts';
import { compact, milliseconds, small } from '../ui/format.ts';
import { clearMessage, isAbort, showError } from '../ui/message.ts';
import type { Lesson } from './lesson.ts';
import type { Counts } from './race.ts';
import { t } from './strings/language.ts';

const RUNS = 7;
/** Multiplications of the normal convolution beyond which a software GPU, or the CPU, would take too long. */
const MOST_MULTIPLICATIONS = 2e9;

/** The button that runs the lesson both ways on this device. */
export function wireTry(): { readonly set: (lesson: Lesson) => void } {
  const button = byId('try', HTMLButtonElement);
  const cancel = byId('try-cancel', HTMLButtonElement);
  const status = byId('try-status', HTMLParagraphElement);
  const message = byId('try-message', HTMLDivElement);
  const result = byId('try-result', HTMLDivElement);
  let lesson: Lesson | null = null;
  let running: AbortController | null = null;

  button.addEventListener('click', async () => {
    if (!lesson || running) return;
    const controller = new AbortController();
    running = controller;
    button.disabled = true;
    cancel.disabled = false;
    clearMessage(message);
    try {
      const trial = await runBothWays(lesson, controller.signal, (text) => {
        status.textContent = text;
      });
      showTrial(result, trial, lesson.counts);
      status.textContent = '';
    } catch (error) {
      status.textContent = isAbort(error) ? t().cancelled : '';
      if (!isAbort(error)) showError(message, error, t().failed);
    }
    running = null;
    cancel.disabled = true;
    enable();
  });
  cancel.addEventListener('click', () => running?.abort());

  const enable = () => {
    const tooMuch = lesson !== null && lesson.counts.normal > MOST_MULTIPLICATIONS;
    button.disabled = tooMuch || running !== null;
    if (tooMuch) {
      status.textContent = t().tooMuch(compact(lesson!.counts.normal), compact(MOST_MULTIPLICATIONS));
    } else if (!running) status.textContent = '';
  };

  return {
    set(next) {
      lesson = next;
      running?.abort();
      result.hidden = true;
      clearMessage(message);
      enable();
    },
  };
}

interface Trial {
  readonly device: string;
  /** Median milliseconds of a run, upload and readback counted. */
  readonly normalMs: number;
  readonly separableMs: number;
  readonly maxDifference: number;
  /** Largest absolute output, to see the difference against. */
  readonly largest: number;
}

async function runBothWays(lesson: Lesson, signal: AbortSignal, onStage: (text: string) => void): Promise<Trial> {
  onStage(t().compiling);
  const graphs = lesson.graphs();
  const inputs = Object.values(seededInputs(graphs.normal))[0]!;
  const models: Model[] = [];
  try {
    const separable = await load(graphs.separable, { signal });
    models.push(separable);
    const normal = await load(graphs.normal, { signal });
    models.push(normal);
    const only = async (model: Model) => Object.values(await model.run(inputs, { signal }))[0]!;
    const [a, b] = [await only(normal), await only(separable)];
    const times: { normal: number[]; separable: number[] } = { normal: [], separable: [] };
    // Taken in turn, so that what slows the machine slows both.
    for (let i = 0; i < RUNS; i++) {
      onStage(t().runOf(i + 1, RUNS));
      for (const [name, model] of [
        ['normal', normal],
        ['separable', separable],
      ] as const) {
        const start = performance.now();
        await only(model);
        times[name].push(performance.now() - start);
      }
      await new Promise((resolve) => setTimeout(resolve));
    }
    return {
      device: deviceText(normal),
      normalMs: spread(times.normal).median,
      separableMs: spread(times.separable).median,
      maxDifference: a.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - b[i]!)),
        a.length === b.length ? 0 : Number.NaN,
      ),
      largest: a.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    };
  } finally {
    for (const model of models) model.dispose();
  }
}

/** Outputs agree where they differ by rounding alone: this share of the largest value, at most. */
const ROUNDING = 1e-5;

function showTrial(
  place: HTMLElement,
  { device, normalMs, separableMs, maxDifference, largest }: Trial,
  { normal, depthwise, pointwise }: Counts,
): void {
  const fewer = (normal / (depthwise + pointwise)).toFixed(1);
  const faster = normalMs / separableMs;
  const agree = maxDifference <= ROUNDING * Math.max(largest, Number.MIN_VALUE);
  const slower = Math.max(normalMs, separableMs);
  place.hidden = false;
  place.dataset.agree = String(agree);
  place.replaceChildren(
    html(
      'p',
      { class: 'answer', 'data-faster': faster },
      faster >= 1 ? t().counted(fewer, faster.toFixed(1)) : t().countedSlower(fewer, (1 / faster).toFixed(1)),
    ),
    timeRow('normal', t().texts.normal, normalMs, slower, 'bar-normal'),
    timeRow('separable', t().separable, separableMs, slower, 'bar-pointwise'),
    html('p', { class: `verdict ${agree ? 'verdict-good' : 'verdict-bad'}` }, agree ? t().agree : t().differ),
    html('p', {}, t().why),
    html('p', { class: 'quiet' }, t().ranOn(small(maxDifference), largest.toPrecision(3), device, RUNS)),
  );
}

function timeRow(way: string, title: string, ms: number, slower: number, kind: string): HTMLElement {
  const fill = html('span', { class: `bar-fill ${kind}` });
  fill.style.setProperty('--share', String(ms / slower));
  return html(
    'div',
    { class: 'try-row', 'data-way': way, 'data-ms': ms },
    html('span', {}, title),
    html('span', { class: 'bar-track' }, fill),
    html('b', {}, milliseconds(ms)),
  );
}
