import { svg } from '../ui/dom.ts';
import type { Times } from './measure.ts';
import { medianInterval, spread } from './spread.ts';

const HEIGHT = 36;
const EDGE = 8;

export type EngineKind = 'gpu' | 'wasm' | 'cpu';

/** A logarithmic axis of milliseconds that holds all the times, in whole decades. */
export interface Axis {
  readonly from: number;
  readonly to: number;
}

export function axisOf(values: readonly number[]): Axis {
  const least = Math.max(1e-3, Math.min(...values));
  const most = Math.max(least, ...values);
  const from = 10 ** Math.floor(Math.log10(least));
  return { from, to: Math.max(from * 10, 10 ** Math.ceil(Math.log10(most))) };
}

const decades = ({ from, to }: Axis): number[] =>
  Array.from({ length: Math.round(Math.log10(to / from)) + 1 }, (_, i) => from * 10 ** i);

/** 2 and 5 of each decade, where there are at most two. */
const between = (axis: Axis): number[] => {
  const all = decades(axis).slice(0, -1);
  return all.length > 2 ? [] : all.flatMap((decade) => [2 * decade, 5 * decade]);
};

const gridLines = (axis: Axis, width: number): SVGLineElement[] =>
  [...decades(axis), ...between(axis)].map((value) => {
    const x = place(value, axis, width).toFixed(1);
    return svg('line', { class: 'strip-grid', x1: x, x2: x, y1: 0, y2: HEIGHT });
  });

const place = (value: number, { from, to }: Axis, width: number): number =>
  EDGE + ((width - 2 * EDGE) * Math.log10(Math.max(value, from) / from)) / Math.log10(to / from);

/**
 * One row of times on the axis: a line from the least to the most, a band over the median's interval (over the middle half without one), a mark at the median,
 * a dot for each run and a ring for the first.
 */
export function strip(times: Times, axis: Axis, width: number, kind: EngineKind, label: string): SVGSVGElement {
  const { least, lowerQuartile, median, upperQuartile, most } = spread(times.runs);
  const interval = medianInterval(times.runs);
  const x = (value: number) => place(value, axis, width).toFixed(1);
  const middle = HEIGHT / 2;
  return svg(
    'svg',
    {
      class: `strip strip-${kind}`,
      width,
      height: HEIGHT,
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: 'img',
      'aria-label': label,
    },
    ...gridLines(axis, width),
    svg('line', { class: 'strip-range', x1: x(least), x2: x(most), y1: middle, y2: middle }),
    svg('line', {
      class: 'strip-half',
      x1: x(interval?.low ?? lowerQuartile),
      x2: x(interval?.high ?? upperQuartile),
      y1: middle,
      y2: middle,
    }),
    ...times.runs.map((run) => svg('circle', { class: 'strip-run', cx: x(run), cy: middle, r: 3.5 })),
    svg('circle', { class: 'strip-first', cx: x(times.first), cy: middle, r: 5 }),
    svg('line', { class: 'strip-median', x1: x(median), x2: x(median), y1: middle - 12, y2: middle + 12 }),
  );
}

/** A single known time on the axis. */
export function stripMark(value: number, axis: Axis, width: number, label: string): SVGSVGElement {
  const x = (at: number) => place(at, axis, width).toFixed(1);
  return svg(
    'svg',
    {
      class: 'strip strip-gpu',
      width,
      height: HEIGHT,
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: 'img',
      'aria-label': label,
    },
    ...gridLines(axis, width),
    svg('line', { class: 'strip-median', x1: x(value), x2: x(value), y1: HEIGHT / 2 - 12, y2: HEIGHT / 2 + 12 }),
  );
}

/** Room for one label. */
const LABEL_WIDTH = 64;

export function axisLabels(axis: Axis, width: number): SVGSVGElement {
  const all = [...decades(axis), ...between(axis)].sort((a, b) => a - b);
  const { from, to } = axis;
  const narrowest = ((width - 2 * EDGE) * Math.log10(2)) / Math.log10(to / from);
  const labelled = narrowest >= LABEL_WIDTH ? all : decades(axis);
  return svg(
    'svg',
    { class: 'strip', width, height: 22, viewBox: `0 0 ${width} 22`, 'aria-hidden': true },
    ...labelled.map((value) =>
      svg(
        'text',
        {
          class: 'strip-label',
          x: value === from ? 0 : value === to ? width : place(value, axis, width).toFixed(1),
          y: 16,
          'text-anchor': value === from ? 'start' : value === to ? 'end' : 'middle',
        },
        value >= 1000 ? `${value / 1000} s` : `${Number(value.toPrecision(1))} ms`,
      ),
    ),
  );
}
