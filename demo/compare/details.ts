import { html } from '../ui/dom.ts';
import { integer, milliseconds, percent, shapeText, small } from '../ui/format.ts';
import { type Block, kindNames } from './blocks.ts';
import type { Measurement } from './measure.ts';

/** What is known of one layer. */
export function showDetails(place: HTMLElement, block: Block, allMacs: number, { profile, report }: Measurement): void {
  const time = profile?.layers.find(({ node }) => node === block.name);
  const check = report?.layers.find(({ name }) => name === block.name);
  const facts: [string, string][] = [
    ['Shape', `${shapeText(block.input)} → ${shapeText(block.output)}`],
    ['Multiplications', `${integer(block.macs)} (${percent(block.macs / allMacs)})`],
    ['Parameters', integer(block.parameters)],
  ];
  if (time) facts.push(['Time', milliseconds(time.ms)]);
  if (check) facts.push(['Largest error', `${small(check.maxError)}, bound ${small(check.bound)}`]);
  place.replaceChildren(
    html(
      'p',
      { class: 'details-title' },
      html('span', { class: `swatch swatch-${block.kind}` }),
      html('b', {}, kindNames[block.kind]),
      ` ${block.description}`,
    ),
    html('p', { class: 'details-name' }, html('code', {}, block.name)),
    html(
      'dl',
      { class: 'facts' },
      ...facts.map(([term, value]) => html('div', {}, html('dt', {}, term), html('dd', {}, value))),
    ),
  );
}
