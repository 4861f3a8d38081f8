import { html } from '../ui/dom.ts';
import { milliseconds } from '../ui/format.ts';
import type { Measurement, Times } from './measure.ts';
import { medianInterval, spread } from './spread.ts';
import { type Axis, axisLabels, axisOf, type EngineKind, strip, stripMark } from './strip.ts';

/** GPU and CPU side by side on one axis. */
export function showTimes(place: HTMLElement, { model, gpu, wasm, noWasm, cpu, profile, clockMs }: Measurement): void {
  const onGpu = profile ? profile.layers.reduce((sum, { ms }) => sum + ms, 0) : null;
  const values = [gpu, wasm, cpu].flatMap((times) => (times ? [times.first, ...times.runs] : []));
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
    ...(wasm ? [row('CPU engine', 'XNNPACK in WebAssembly', wasm, axis, width, 'wasm')] : []),
    ...(noWasm ? [html('p', { class: 'quiet' }, `No CPU engine: ${noWasm}`)] : []),
    ...(cpu
      ? [row('CPU reference', 'plain loops, float64 sums: a validator, not a fast CPU', cpu, axis, width, 'cpu')]
      : []),
    axisLabels(axis, width),
    html(
      'p',
      { class: 'quiet' },
      `Engines run in turn. Ring: first run. Dots: the runs after it. Line: least to most; band: where the true median lies with 95 % (of six runs or more), else the middle half; upright mark: the median. The axis is logarithmic; the page's clock has steps of ${milliseconds(clockMs)}.`,
    ),
  );
}

function row(title: string, note: string, times: Times, axis: Axis, width: number, kind: EngineKind): HTMLElement {
  const { least, lowerQuartile, median, upperQuartile, most } = spread(times.runs);
  const interval = medianInterval(times.runs);
  const text =
    `median of ${times.runs.length}; ${milliseconds(least)} to ${milliseconds(most)}, ` +
    (interval
      ? `${(100 * interval.confidence).toFixed(0)} % interval of the median ${milliseconds(interval.low)} to ${milliseconds(interval.high)}`
      : `middle half ${milliseconds(lowerQuartile)} to ${milliseconds(upperQuartile)}`) +
    `; first run ${milliseconds(times.first)}`;
  return html(
    'div',
    { class: 'time', 'data-time': kind, 'data-median': median },
    head(title, note, milliseconds(median), kind),
    strip(times, axis, width, kind, `${title}: ${text}`),
    html('p', { class: 'time-spread' }, text),
  );
}

const head = (title: string, note: string, value: string, kind: EngineKind): HTMLElement =>
  html(
    'div',
    { class: 'time-head' },
    html('p', { class: 'time-title' }, html('b', {}, title), ' ', html('span', { class: 'quiet' }, note)),
    html('p', { class: `time-value time-${kind}` }, value),
  );
