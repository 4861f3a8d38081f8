import { html } from '../ui/dom.ts';
import { milliseconds } from '../ui/format.ts';
import type { Measurement, Times } from './measure.ts';
import { spread } from './spread.ts';
import { type Axis, axisLabels, axisOf, strip, stripMark } from './strip.ts';

/** GPU and CPU side by side on one axis. */
export function showTimes(place: HTMLElement, { model, gpu, cpu, profile }: Measurement): void {
  const onGpu = profile ? profile.layers.reduce((sum, { ms }) => sum + ms, 0) : null;
  const values = [gpu, cpu].flatMap((times) => (times ? [times.first, ...times.runs] : []));
  if (onGpu !== null) values.push(onGpu);
  if (values.length === 0) {
    place.replaceChildren(html('p', { class: 'quiet' }, 'Not measured yet.'));
    return;
  }
  const axis = axisOf(values);
  const width = Math.max(200, Math.floor(place.clientWidth));
  const clock = profile?.method === 'timestamp-query' ? "the GPU's own clock" : "the page's clock, around repeats";
  place.replaceChildren(
    ...(model.device === 'reference' ? [html('p', { class: 'quiet' }, `No GPU here: ${model.deviceReason}`)] : []),
    ...(gpu ? [row('GPU', 'upload and readback counted', gpu, axis, width, 'gpu')] : []),
    ...(onGpu !== null
      ? [
          html(
            'div',
            { class: 'time', 'data-time': 'gpu-layers' },
            head(
              'GPU, layers only',
              `no upload, no readback: the sum of one pass a dispatch, by ${clock}`,
              milliseconds(onGpu),
              'gpu',
            ),
            stripMark(onGpu, axis, width, `Sum of the layers: ${milliseconds(onGpu)}`),
          ),
        ]
      : []),
    ...(cpu
      ? [row('CPU reference', 'plain loops, float64 sums: a validator, not a fast CPU', cpu, axis, width, 'cpu')]
      : []),
    axisLabels(axis, width),
    html(
      'p',
      { class: 'quiet' },
      'Ring: first run. Dots: the runs after it. Line: least to most; band: the middle half; upright mark: the median. The axis is logarithmic.',
    ),
  );
}

function row(title: string, note: string, times: Times, axis: Axis, width: number, kind: 'gpu' | 'cpu'): HTMLElement {
  const { least, lowerQuartile, median, upperQuartile, most } = spread(times.runs);
  const text =
    `median of ${times.runs.length}; ${milliseconds(least)} to ${milliseconds(most)}, ` +
    `middle half ${milliseconds(lowerQuartile)} to ${milliseconds(upperQuartile)}; first run ${milliseconds(times.first)}`;
  return html(
    'div',
    { class: 'time', 'data-time': kind, 'data-median': median },
    head(title, note, milliseconds(median), kind),
    strip(times, axis, width, kind, `${title}: ${text}`),
    html('p', { class: 'time-spread' }, text),
  );
}

const head = (title: string, note: string, value: string, kind: 'gpu' | 'cpu'): HTMLElement =>
  html(
    'div',
    { class: 'time-head' },
    html('p', { class: 'time-title' }, html('b', {}, title), ' ', html('span', { class: 'quiet' }, note)),
    html('p', { class: `time-value time-${kind}` }, value),
  );
