import { networkCost } from '../../src/analysis/index.ts';
import { shelf } from '../models/shelf.ts';
import { adapterText } from '../ui/device.ts';
import { byId, html } from '../ui/dom.ts';
import { milliseconds } from '../ui/format.ts';
import { clearMessage, isAbort, showError } from '../ui/message.ts';
import { type Block, blocksOf } from './blocks.ts';
import { jsonOf, markdownOf } from './card.ts';
import { showDetails } from './details.ts';
import { showFigures } from './figures.ts';
import { layersSummary, showLayers } from './layers.ts';
import { type Measurement, measure } from './measure.ts';
import { drawNetwork, legend, type NetworkPicture } from './network.ts';
import { hashOf, resultIn } from './permalink.ts';
import { type Result, resultOf } from './result.ts';
import { pointsOf, showRoofline } from './roofline.ts';
import { showSummary } from './summary.ts';
import { showTimes } from './times.ts';

/** The Compare tab. */
export function startCompare(): void {
  const select = byId('compare-model', HTMLSelectElement);
  const runs = byId('compare-runs', HTMLInputElement);
  const run = byId('compare-run', HTMLButtonElement);
  const cancel = byId('compare-cancel', HTMLButtonElement);
  const progress = byId('compare-progress', HTMLDivElement);
  const bar = byId('compare-bar', HTMLProgressElement);
  const stage = byId('compare-stage', HTMLParagraphElement);
  const message = byId('compare-message', HTMLDivElement);
  const results = byId('compare-results', HTMLDivElement);
  const times = byId('times', HTMLDivElement);
  let running: AbortController | null = null;
  let shown: Measurement | null = null;
  let blocks: readonly Block[] = [];
  let picture: NetworkPicture | null = null;
  let chosen = 0;
  let result: Result | null = null;
  const summary = byId('compare-summary', HTMLDivElement);
  const card = byId('compare-card', HTMLElement);
  const copied = byId('compare-copied', HTMLParagraphElement);

  const offer = () => {
    const before = select.value;
    select.replaceChildren(...shelf.models.map(({ id, title }) => html('option', { value: id }, title)));
    if (before) select.value = before;
  };
  shelf.addEventListener('change', () => {
    offer();
    select.value = 'opened';
  });
  offer();
  if (shelf.opened) select.value = 'opened';

  const details = () => {
    if (!shown || !blocks[chosen]) return;
    const macs = blocks.reduce((sum, block) => sum + block.macs, 0);
    showDetails(byId('network-details', HTMLDivElement), blocks[chosen]!, macs, shown);
  };

  const show = (measurement: Measurement) => {
    const isNew = measurement.model !== shown?.model;
    shown = measurement;
    results.hidden = false;
    if (isNew) {
      blocks = blocksOf(measurement.model);
      chosen = 0;
      byId('network-legend', HTMLDivElement).replaceChildren(...legend(blocks));
      picture = drawNetwork(byId('network', HTMLDivElement), blocks, (index) => {
        chosen = index;
        details();
      });
      byId('ran-on', HTMLParagraphElement).textContent = ranOn(measurement);
    }
    // The plan that runs is another once kernels are chosen.
    showFigures(byId('figures', HTMLDListElement), measurement);
    showTimes(times, measurement);
    byId('layers-summary', HTMLParagraphElement).textContent = layersSummary(measurement);
    showLayers(byId('layers', HTMLDivElement), blocks, measurement);
    if (measurement.profile) showRoofline(byId('roofline', HTMLDivElement), pointsOf(blocks, measurement.profile));
    else
      byId('roofline', HTMLDivElement).replaceChildren(html('p', { class: 'quiet' }, 'Layers are timed at the end.'));
    details();
  };

  const showResult = (next: Result) => {
    result = next;
    card.hidden = false;
    showSummary(summary, next);
    copied.textContent = '';
  };

  const copy = async (text: string, what: string) => {
    try {
      await navigator.clipboard.writeText(text);
      copied.textContent = `${what} is copied.`;
    } catch {
      // A page without https, or a visitor who refused: to be copied by hand.
      copied.textContent = text;
    }
  };
  const linkOf = (of: Result) => new URL(hashOf(of), location.href).href;
  byId('copy-link', HTMLButtonElement).addEventListener('click', () => result && copy(linkOf(result), 'The link'));
  byId('copy-markdown', HTMLButtonElement).addEventListener(
    'click',
    () => result && copy(markdownOf(result, linkOf(result)), 'The card'),
  );
  byId('copy-json', HTMLButtonElement).addEventListener('click', () => result && copy(jsonOf(result), 'The JSON'));

  const openLink = () => {
    try {
      const shared = resultIn(location.hash);
      if (!shared) return;
      clearMessage(message);
      showResult(shared);
      // “Run” measures the same here, where the page has it.
      const same = shelf.models.find(({ title }) => title === shared.model);
      if (same) select.value = same.id;
      byId('compare-shared', HTMLParagraphElement).hidden = false;
    } catch (error) {
      showError(message, error, 'The shared result cannot be shown. What was measured here is still below.');
    }
  };
  addEventListener('hashchange', openLink);
  openLink();

  byId('compare-form', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    const chosenModel = shelf.models.find(({ id }) => id === select.value);
    if (running || !chosenModel) return;
    const controller = new AbortController();
    running = controller;
    clearMessage(message);
    progress.hidden = false;
    run.disabled = true;
    cancel.disabled = false;
    results.dataset.state = 'running';
    // On a phone it is below the edge.
    progress.scrollIntoView({ block: 'nearest' });
    try {
      await measure(chosenModel, {
        runs: runs.valueAsNumber,
        signal: controller.signal,
        onStage: (text, share) => {
          stage.textContent = `${text}…`;
          if (share === null) bar.removeAttribute('value');
          else bar.value = share;
        },
        onMeasured: (measurement) => {
          show(measurement);
          showResult(resultOf(chosenModel.title, networkCost(measurement.model.graph).macs, measurement));
        },
      });
      byId('compare-shared', HTMLParagraphElement).hidden = true;
      if (result) history.replaceState(null, '', hashOf(result));
      results.dataset.state = 'done';
    } catch (error) {
      results.dataset.state = 'stopped';
      if (isAbort(error)) {
        message.replaceChildren(html('p', {}, 'Cancelled. What had been measured stays below.'));
        message.hidden = false;
      } else showError(message, error, `${chosenModel.title} could not be compared.`);
    }
    running = null;
    progress.hidden = true;
    run.disabled = false;
    cancel.disabled = true;
  });
  cancel.addEventListener('click', () => running?.abort());

  new ResizeObserver(() => {
    if (!shown) return;
    picture?.resize();
    showTimes(times, shown);
  }).observe(results);
}

function ranOn({ model, cold }: Measurement): string {
  const ready = `Ready ${milliseconds(cold.ready)} after the start, file and shaders included.`;
  if (model.device === 'reference') return `Ran on the CPU alone. ${ready}`;
  const features = model.adapter?.features ?? [];
  const used = ['timestamp-query', 'shader-f16', 'subgroups'].filter((feature) => features.includes(feature));
  return `Ran on ${adapterText(model.adapter)}, which has ${used.join(', ') || 'none of timestamp-query, shader-f16, subgroups'}. ${ready}`;
}
