import { networkCost } from '../../src/analysis/index.ts';
import { html } from '../ui/dom.ts';
import { bytes, compact, integer } from '../ui/format.ts';
import type { Measurement } from './measure.ts';

/** The network in numbers, from its costs and the plan that runs. */
export function showFigures(place: HTMLElement, { model }: Measurement): void {
  const { parameters, macs, macsWithNormalConvolutions } = networkCost(model.graph);
  const { dispatches, pipelines, arena } = model.plan;
  const figures: [string, string, string][] = [
    ['Parameters', compact(parameters), 'parameters'],
    ['Multiplications', compact(macs), 'macs'],
    ['All-normal cost', `${(macsWithNormalConvolutions / macs).toFixed(2)} ×`, 'normal'],
    ['Dispatches', integer(dispatches.length), 'dispatches'],
    ['Pipelines', integer(pipelines.length), 'pipelines'],
    ['Tensor memory', bytes(arena.reduce((sum, size) => sum + size, 0)), 'arena'],
  ];
  place.replaceChildren(
    ...figures.map(([term, value, id]) =>
      html('div', { 'data-figure': id }, html('dt', {}, term), html('dd', {}, value)),
    ),
  );
}
