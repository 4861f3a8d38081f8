import { html } from '../ui/dom.ts';
import { bytes, compact, integer } from '../ui/format.ts';
import type { Measurement } from './measure.ts';

/** The network in numbers, from `inspect()` and the plan that runs. */
export function showFigures(place: HTMLElement, { model }: Measurement): void {
  const { parameters, macs, macsWithNormalConvolutions } = model.inspect();
  const { dispatches, pipelines, arena } = model.plan;
  const figures: [string, string, string][] = [
    ['Parameters', compact(parameters), 'parameters'],
    ['Multiplications', compact(macs), 'macs'],
    ['With normal convolutions', `${(macsWithNormalConvolutions / macs).toFixed(2)} × as many`, 'normal'],
    ['Dispatches', integer(dispatches.length), 'dispatches'],
    ['Pipelines', integer(pipelines.length), 'pipelines'],
    ['Memory for tensors', bytes(arena.reduce((sum, size) => sum + size, 0)), 'arena'],
  ];
  place.replaceChildren(
    ...figures.map(([term, value, id]) =>
      html('div', { 'data-figure': id }, html('dt', {}, term), html('dd', {}, value)),
    ),
  );
}
