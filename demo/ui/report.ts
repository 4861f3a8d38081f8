/** `model.report` in words: what runs a model, why there, and what the self-check found. */
import type { Model } from '../../src/index.ts';
import { deviceText } from './device.ts';
import { html } from './dom.ts';

/** What is read of the report. */
interface Report {
  readonly deviceReason: string;
  readonly precision: string;
  readonly kernels: readonly string[];
  /** Sentences; none where the GPU does not run. */
  readonly checks?: readonly string[];
}

const numbers: Readonly<Record<string, string>> = {
  float32: 'floats of 32 bits',
  'float16-storage': 'stored in 16 bits, computed in 32',
  float16: 'floats of 16 bits, sums carried in 32',
  int8: "the file's own integers of 8 bits",
};

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** The report's terms, each with its sentences. */
function wordsOf(model: Model): [term: string, sentences: readonly string[]][] {
  const { deviceReason, precision, kernels, checks }: Report = JSON.parse(model.report);
  const onGpu = model.device === 'webgpu';
  const checked = checks?.length
    ? checks
    : [onGpu ? 'it runs before the first result' : 'it is for kernels on the GPU, and none runs here'];
  const words: [string, readonly string[]][] = [
    ['Runs on', [deviceText(model), ...(deviceReason ? [deviceReason] : [])].map(sentence)],
    ['Self-check', checked.map(sentence)],
    ['Numbers', [sentence(numbers[precision] ?? precision)]],
  ];
  if (onGpu) words.push(['Kernels', [`${kernels.length} kinds: ${kernels.join(', ')}.`]]);
  return words;
}

/** What is shown where. */
const shown = new WeakMap<HTMLElement, string>();

/** Fills a `<details>`; the button copies the report itself, for who tells of a fault. */
export function showReport(place: HTMLDetailsElement, model: Model): void {
  const { report } = model;
  if (shown.get(place) === report) return;
  shown.set(place, report);
  const copied = html('p', { class: 'quiet copied', role: 'status' });
  const copy = html('button', { type: 'button', class: 'button' }, 'Copy the report');
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(report).then(
      () => {
        copied.textContent = 'The report is copied.';
      },
      // A page without https, or a visitor who refused: to be copied by hand.
      () => {
        copied.textContent = report;
      },
    );
  });
  place.replaceChildren(
    html('summary', {}, 'How it runs here'),
    html(
      'dl',
      { class: 'report-words' },
      ...wordsOf(model).map(([term, sentences]) =>
        html('div', {}, html('dt', {}, term), ...sentences.map((text) => html('dd', {}, text))),
      ),
    ),
    copy,
    copied,
  );
  place.hidden = false;
}
