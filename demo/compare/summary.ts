import { scaleLinear } from 'd3-scale';
import { html, svg } from '../ui/dom.ts';
import { milliseconds } from '../ui/format.ts';
import { stages } from './card.ts';
import type { Result } from './result.ts';
import { verdict } from './verdict.ts';

/** The answer, and every figure of a result as a table: what a link carries, and what the charts below draw. */
export function showSummary(place: HTMLElement, result: Result): void {
  const { engines, cold, framesPerSecond, hostMs, gpuMs, stallMs, model, browser, adapter, version } = result;
  const facts: [string, string][] = [];
  if (gpuMs !== null && hostMs !== null)
    facts.push([
      'GPU against host',
      `${milliseconds(gpuMs)} in the layers, ${milliseconds(hostMs)} of JavaScript to start them`,
    ]);
  if (framesPerSecond !== null) facts.push(['Throughput', `${framesPerSecond} frames a second, three under way`]);
  if (stallMs > 0) facts.push(['Longest pause of the page', milliseconds(stallMs)]);
  place.replaceChildren(
    html('p', { class: 'answer', id: 'verdict' }, verdict(result)),
    html('p', { class: 'quiet' }, `${model} · ${browser} · ${adapter} · mobilenet-webgpu ${version}`),
    html(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Times of each engine' },
      html(
        'table',
        { class: 'figures-table', id: 'engines-table' },
        html('caption', { class: 'visually-hidden' }, 'Times of one inference'),
        html('thead', {}, row('th', 'Engine', 'Median', '95 % interval', 'Runs', 'First run')),
        html(
          'tbody',
          {},
          ...engines.map(({ name, median, interval, runs, first }) =>
            row(
              'td',
              name,
              milliseconds(median),
              interval ? interval.map((ms) => milliseconds(ms).replaceAll(' ', '\u00a0')).join(' – ') : 'needs 6 runs',
              String(runs),
              milliseconds(first),
            ),
          ),
        ),
      ),
    ),
    timeline(cold),
    html(
      'dl',
      { class: 'facts' },
      ...facts.map(([term, text]) => html('div', {}, html('dt', {}, term), html('dd', {}, text))),
    ),
  );
}

function row(kind: 'th' | 'td', ...cells: string[]): HTMLTableRowElement {
  const [first, ...others] = cells;
  const scope = kind === 'th' ? 'col' : 'row';
  return html(
    'tr',
    {},
    html('th', { scope }, first),
    ...others.map((text) => html(kind, kind === 'th' ? { scope } : {}, text)),
  );
}

const WIDTH = 1000;

/** The cold start: from the click to kernels that were measured; the list below it says the same. */
function timeline(cold: Result['cold']): HTMLElement {
  const known = stages.flatMap((name, i) => (cold[i] === null ? [] : [{ name, at: cold[i]! }]));
  const end = Math.max(1, ...known.map(({ at }) => at));
  const x = scaleLinear([0, end], [0, WIDTH]);
  return html(
    'figure',
    { class: 'timeline' },
    html('figcaption', {}, 'Cold start, from the click on'),
    svg(
      'svg',
      { viewBox: `0 0 ${WIDTH} 28`, preserveAspectRatio: 'none', 'aria-hidden': true },
      ...known.map(({ at }, i) => {
        const from = x(known[i - 1]?.at ?? 0);
        return svg('rect', { class: `phase phase-${i}`, x: from, y: 2, width: Math.max(1, x(at) - from), height: 24 });
      }),
    ),
    html(
      'ol',
      { class: 'phases' },
      ...known.map(({ name, at }, i) =>
        html('li', {}, html('span', { class: `swatch phase-${i}` }), `${name} `, html('b', {}, milliseconds(at))),
      ),
    ),
  );
}
