import { html } from '../ui/dom.ts';
import { integer } from '../ui/format.ts';
import type { Counts, Sizes } from './race.ts';
import { t } from './strings/language.ts';

const sup = (text: string) => html('sup', {}, text);
const sub = (text: string) => html('sub', {}, text);
const variable = (name: string) => html('i', {}, name);

/** The multiplications of each way and their ratio. `ratio` and `expected` are the engine's. */
export function showCounts(
  counts: HTMLElement,
  ratioPlace: HTMLElement,
  { n, f, nc, nk }: Sizes,
  { outputSide, normal, depthwise, pointwise }: Counts,
  expected: number,
): void {
  const sum = depthwise + pointwise;
  const side = () => [variable('n'), sub('out'), sup('2')];
  const rows: [string, string, (Node | string)[], string, number, [string, number][]][] = [
    [
      'normal',
      t().texts.normal,
      [...side(), ' · ', variable('f'), sup('2'), ' · ', variable('n'), sub('c'), ' · ', variable('n'), sub('c'), '′'],
      `${outputSide}² · ${f}² · ${nc} · ${nk}`,
      normal,
      [['normal', normal]],
    ],
    [
      'depthwise',
      t().texts.depthwise,
      [...side(), ' · ', variable('f'), sup('2'), ' · ', variable('n'), sub('c')],
      `${outputSide}² · ${f}² · ${nc}`,
      depthwise,
      [['depthwise', depthwise]],
    ],
    [
      'pointwise',
      t().texts.pointwise,
      [...side(), ' · ', variable('n'), sub('c'), ' · ', variable('n'), sub('c'), '′'],
      `${outputSide}² · ${nc} · ${nk}`,
      pointwise,
      [['pointwise', pointwise]],
    ],
    [
      'sum',
      t().separableSum,
      [`${t().texts.depthwise} + ${t().texts.pointwise}`],
      `${integer(depthwise)} + ${integer(pointwise)}`,
      sum,
      [
        ['depthwise', depthwise],
        ['pointwise', pointwise],
      ],
    ],
  ];
  const most = Math.max(normal, sum);
  counts.replaceChildren(
    html(
      'table',
      { class: 'count-table' },
      html('caption', { class: 'visually-hidden' }, t().countsCaption(n, f, nc, nk)),
      html(
        'tbody',
        {},
        ...rows.map(([id, title, formula, numbers, value, parts]) =>
          html(
            'tr',
            { class: `count count-${id}` },
            html('th', { scope: 'row' }, title),
            html('td', { class: 'count-formula' }, ...formula),
            html('td', { class: 'count-numbers' }, numbers),
            html('td', { class: 'count-value', id: `count-${id}`, 'data-value': value }, integer(value)),
            html(
              'td',
              { class: 'count-bar', 'aria-hidden': true },
              ...parts.map(([kind, part]) => stripe(kind, part / most)),
            ),
          ),
        ),
      ),
    ),
  );
  const ratio = sum / normal;
  ratioPlace.replaceChildren(
    html(
      'p',
      { class: 'ratio-line' },
      html(
        'span',
        { class: 'ratio-part' },
        `${integer(sum)} / ${integer(normal)} = `,
        html('b', { id: 'ratio-value', 'data-value': ratio }, ratio.toFixed(3)),
      ),
      html(
        'span',
        { class: 'ratio-part' },
        '1 / ',
        variable('n'),
        sub('c'),
        '′ + 1 / ',
        variable('f'),
        sup('2'),
        ' = ',
        html('b', { id: 'ratio-expected', 'data-value': expected }, expected.toFixed(3)),
      ),
    ),
    html('p', { class: 'quiet' }, ratio < 1 ? t().fewer((1 / ratio).toFixed(1)) : t().savesNothing),
  );
}

function stripe(kind: string, share: number): HTMLElement {
  const element = html('span', { class: `stripe stripe-${kind}` });
  element.style.setProperty('--share', String(share));
  return element;
}
