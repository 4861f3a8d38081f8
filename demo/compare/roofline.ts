import { scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import type { Profile } from '../../src/index.ts';
import { html, svg } from '../ui/dom.ts';
import { bytes, compact, milliseconds } from '../ui/format.ts';
import { type Block, kindNames } from './blocks.ts';

interface Point {
  readonly block: Block;
  readonly ms: number;
  /** Floating point operations a byte. */
  readonly intensity: number;
  /** Floating point operations a second. */
  readonly rate: number;
}

export function pointsOf(blocks: readonly Block[], profile: Profile): readonly Point[] {
  const times = new Map(profile.layers.map(({ node, ms }) => [node, ms]));
  return blocks.flatMap((block) => {
    const ms = times.get(block.name);
    if (!ms || block.macs === 0) return [];
    return [{ block, ms, intensity: (2 * block.macs) / block.bytes, rate: (2000 * block.macs) / ms }];
  });
}

const [WIDTH, HEIGHT] = [760, 340];
const margin = { left: 84, right: 16, top: 14, bottom: 46 };

/**
 * Layers by how much they compute for a byte, and how fast they do (Williams et al. 2009, "Roofline"). The roof is what the
 * best layers of this run reach: the fastest arithmetic, and the fastest memory.
 */
export function showRoofline(place: HTMLElement, points: readonly Point[]): void {
  if (points.length === 0) {
    place.replaceChildren(html('p', { class: 'quiet' }, 'Not measured yet.'));
    return;
  }
  const peak = Math.max(...points.map(({ rate }) => rate));
  const bandwidth = Math.max(...points.map(({ rate, intensity }) => rate / intensity));
  const span = (values: readonly number[]): [number, number] => [Math.min(...values) / 1.6, Math.max(...values) * 1.6];
  const across = span(points.map(({ intensity }) => intensity));
  const x = scaleLog(across, [margin.left, WIDTH - margin.right]);
  const y = scaleLog(span([...points.map(({ rate }) => rate), peak]), [HEIGHT - margin.bottom, margin.top]).clamp(true);
  const roof = [across[0], Math.min(across[1], Math.max(across[0], peak / bandwidth)), across[1]].map(
    (at): [number, number] => [x(at), y(Math.min(peak, bandwidth * at))],
  );
  const ticks = (scale: typeof x): number[] =>
    scale.ticks(4).filter((tick) => /^1/.test(String(tick / 10 ** Math.floor(Math.log10(tick) + 1e-9))));
  place.replaceChildren(
    html(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Roofline' },
      svg(
        'svg',
        {
          class: 'roofline',
          viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
          role: 'img',
          'aria-label': `Roofline of ${points.length} layers; the table below has every figure`,
        },
        ...ticks(x).map((tick) =>
          svg(
            'g',
            {},
            svg('line', { class: 'strip-grid', x1: x(tick), x2: x(tick), y1: margin.top, y2: HEIGHT - margin.bottom }),
            svg(
              'text',
              { class: 'axis', x: x(tick), y: HEIGHT - margin.bottom + 18, 'text-anchor': 'middle' },
              compact(tick),
            ),
          ),
        ),
        ...ticks(y).map((tick) =>
          svg(
            'g',
            {},
            svg('line', { class: 'strip-grid', x1: margin.left, x2: WIDTH - margin.right, y1: y(tick), y2: y(tick) }),
            svg('text', { class: 'axis', x: margin.left - 8, y: y(tick) + 5, 'text-anchor': 'end' }, compact(tick)),
          ),
        ),
        svg('path', { class: 'roof', d: line()(roof) ?? '' }),
        ...points.map(({ block, intensity, rate }) =>
          svg(
            'circle',
            { class: `point block-${block.kind}`, cx: x(intensity), cy: y(rate), r: 6 },
            svg('title', {}, block.name),
          ),
        ),
        svg(
          'text',
          { class: 'axis', x: (WIDTH + margin.left) / 2, y: HEIGHT - 10, 'text-anchor': 'middle' },
          'operations a byte',
        ),
        svg(
          'text',
          { class: 'axis', x: 14, y: HEIGHT / 2, 'text-anchor': 'middle', transform: `rotate(-90 14 ${HEIGHT / 2})` },
          'operations a second',
        ),
      ),
    ),
    html(
      'p',
      { class: 'quiet' },
      `The line is the roof of this run: ${compact(peak)} operations a second, ${bytes(bandwidth)} a second. A point far below it waits for something else, mostly for work enough to fill the GPU.`,
    ),
    html(
      'details',
      { class: 'twin' },
      html('summary', {}, 'The same as a table'),
      html(
        'div',
        { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Layers of the roofline' },
        html(
          'table',
          { class: 'figures-table', id: 'roofline-table' },
          html(
            'thead',
            {},
            html(
              'tr',
              {},
              ...['Layer', 'Kind', 'Time', 'MACs', 'Bytes', 'Operations a byte', 'Operations a second'].map((text) =>
                html('th', { scope: 'col' }, text),
              ),
            ),
          ),
          html(
            'tbody',
            {},
            ...points.map(({ block, ms, intensity, rate }) =>
              html(
                'tr',
                {},
                html('th', { scope: 'row' }, block.name),
                ...[
                  kindNames[block.kind],
                  milliseconds(ms),
                  compact(block.macs),
                  bytes(block.bytes),
                  intensity.toFixed(1),
                  compact(rate),
                ].map((text) => html('td', {}, text)),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}
