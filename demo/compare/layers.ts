import { html } from '../ui/dom.ts';
import { bytes, compact, milliseconds, small } from '../ui/format.ts';
import { type Block, kindNames } from './blocks.ts';
import type { Measurement } from './measure.ts';

/** A row for each layer: its time as a bar, its largest error as a bar whose full length is the bound. */
export function showLayers(
  place: HTMLElement,
  blocks: readonly Block[],
  { model, profile, report }: Measurement,
): void {
  if (model.device === 'reference') {
    place.replaceChildren(
      html('p', { class: 'quiet' }, 'Without a GPU there is nothing to time or to check layer by layer.'),
    );
    return;
  }
  const times = new Map(profile?.layers.map((layer) => [layer.node, layer]));
  const checks = new Map(report?.layers.map((layer) => [layer.name, layer]));
  const slowest = Math.max(1e-9, ...[...times.values()].map(({ ms }) => ms));
  const mostMacs = Math.max(1, ...blocks.map(({ macs }) => macs));
  const mostBytes = Math.max(1, ...blocks.map((block) => block.bytes));
  place.replaceChildren(
    html(
      'table',
      { class: 'layers' },
      html(
        'thead',
        {},
        html(
          'tr',
          {},
          html('th', { scope: 'col' }, 'Layer'),
          html('th', { scope: 'col' }, 'Time'),
          html('th', { scope: 'col' }, 'Multiplications'),
          html('th', { scope: 'col' }, 'Bytes'),
          html('th', { scope: 'col' }, 'Largest error, of its bound'),
        ),
      ),
      html(
        'tbody',
        {},
        ...blocks.map(({ name, kind, description, macs, bytes: moved }) => {
          const time = times.get(name);
          const check = checks.get(name);
          return html(
            'tr',
            { 'data-layer': name, 'data-ok': check?.ok },
            html(
              'th',
              { scope: 'row' },
              html('span', { class: `swatch swatch-${kind}`, role: 'img', 'aria-label': kindNames[kind] }),
              html('span', { class: 'layer-name', title: name }, name),
              html('span', { class: 'layer-what quiet' }, description),
            ),
            html(
              'td',
              { class: 'layer-time' },
              time ? bar(time.ms / slowest, milliseconds(time.ms), `bar-${kind}`) : pending(profile),
            ),
            html('td', {}, bar(macs / mostMacs, compact(macs), `bar-${kind}`)),
            html('td', {}, bar(moved / mostBytes, bytes(moved), `bar-${kind}`)),
            html(
              'td',
              {},
              check
                ? bar(
                    check.maxError / check.bound,
                    `${small(check.maxError)} of ${small(check.bound)}`,
                    check.ok ? 'bar-good' : 'bar-bad',
                  )
                : pending(report),
            ),
          );
        }),
      ),
    ),
  );
}

const pending = (part: unknown) => html('span', { class: 'quiet' }, part === null ? '…' : '–');

function bar(share: number, text: string, kind: string): HTMLElement {
  const filled = html('span', { class: `bar-fill ${kind}` });
  filled.style.setProperty('--share', String(Math.min(1, share)));
  return html(
    'span',
    { class: 'bar' },
    html('span', { class: 'bar-track' }, filled),
    html('span', { class: 'bar-text' }, text),
  );
}

/** One sentence over the table. */
export function layersSummary({ model, profile, report }: Measurement): string {
  if (model.device === 'reference') return '';
  if (!profile) return 'Times and errors of each layer follow.';
  const method =
    profile.method === 'timestamp-query'
      ? 'Times by timestamp-query, one pass a dispatch.'
      : 'This adapter has no timestamp-query: each dispatch was repeated in a pass of its own and timed by the clock of the page.';
  if (!report) return method;
  const within = report.layers.filter(({ ok }) => ok).length;
  const ends = report.outputs.map(
    ({ name, maxError, nmse }) =>
      `${name}: largest difference ${small(maxError)}, normalised mean square error ${small(nmse)}`,
  );
  return `${method} ${within} of ${report.layers.length} layers within their bounds. End to end, ${ends.join('; ')}.`;
}
