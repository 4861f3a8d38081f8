import type { PlanOption } from '../../src/index.ts';
import { engineKeys, label, type Setup } from '../engines/keys.ts';
import { type Driver, measure } from '../measure.ts';
import { adapterName, remarks, resultTable, verdicts } from '../report.ts';
import { type Results, type Row, today } from '../results.ts';
import { listen, messageOf } from './remote.ts';
import { describeAdapter, pollsSlowly, Workbench } from './workbench.ts';

const models = ['v1-1.0-224', 'v2-1.0-224', 'v3-small-1.0-224', 'v3-large-1.0-224', 'v4-conv-small-224'];
const plans: readonly PlanOption[] = ['auto', 'unfused', 'fused'];

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const status = (message: string) => {
  element('status').textContent = message;
};

const threads = navigator.hardwareConcurrency || 1;

let stopping: AbortController | null = null;
let results: Results | null = null;

function fillForm(): void {
  element('models').replaceChildren(...models.map((model) => new Option(model, model)));
  element('plan').replaceChildren(...plans.map((plan) => new Option(plan, plan)));
  element('engines').replaceChildren(
    ...engineKeys.map((key, i) => {
      const box = document.createElement('input');
      box.type = 'checkbox';
      box.name = 'engine';
      box.value = String(i);
      box.checked = true;
      const line = document.createElement('label');
      line.append(box, label(key));
      return line;
    }),
  );
}

async function start(): Promise<void> {
  const form = new FormData(element<HTMLFormElement>('settings'));
  const keys = form.getAll('engine').map((index) => engineKeys[Number(index)]!);
  const plan = String(form.get('plan'));
  stopping = new AbortController();
  const { signal } = stopping;
  busy(true);
  let workbench: Workbench | undefined;
  try {
    status('Writing the model for every engine, running the CPU reference …');
    const adapter = await describeAdapter();
    workbench = await Workbench.prepare(
      { source: String(form.get('model')).trim(), threads, plan: plan as PlanOption },
      { signal, onLayer: (done, total) => status(`Running the CPU reference: layer ${done} of ${total} …`) },
    );
    const { graph } = workbench;
    const slow = await pollsSlowly();
    const show = (engines: readonly Row[]) => {
      results = {
        date: today(),
        browser: navigator.userAgent,
        adapter,
        model: graph.name,
        plan,
        precision: 'auto',
        threads,
        coldCaches: false,
        pollsSlowly: slow,
        engines,
      };
      showResults(results);
    };
    const measured = await measure(framesOf(workbench, slow, signal), keys, {
      rounds: Number(form.get('rounds')) || null,
      precision: 'auto',
      signal,
      log: status,
      onRows: show,
    });
    show(measured);
    status('Done.');
  } catch (error) {
    status(signal.aborted ? 'Stopped.' : messageOf(error));
  } finally {
    workbench?.dispose();
    stopping = null;
    busy(false);
  }
}

/** First results are from fresh frames here. An engine that is at work cannot be stopped, only left: its frame goes. */
function framesOf(workbench: Workbench, slow: boolean, signal: AbortSignal): Driver {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  stopped.catch(() => {});
  const answer = async <T>(promise: Promise<T>): Promise<T> => {
    try {
      return await Promise.race([promise, stopped]);
    } catch (error) {
      throw new Error(messageOf(error));
    }
  };
  return {
    firstRuns: 1,
    pollsSlowly: async () => slow,
    async first(setup: Setup, nudged: boolean) {
      try {
        return await answer(workbench.first(setup, nudged));
      } finally {
        workbench.close(setup);
      }
    },
    open: (setup) => answer(workbench.open(setup)),
    close: async (setup) => workbench.close(setup),
    run: (setup, nudged) => answer(workbench.run(setup, nudged)),
    burst: (setup, frames, inFlight, nudged) => answer(workbench.burst(setup, frames, inFlight, nudged)),
    alive: () => true,
  };
}

function busy(running: boolean): void {
  element<HTMLButtonElement>('start').disabled = running;
  element<HTMLButtonElement>('stop').disabled = !running;
  for (const id of ['copy', 'save']) element<HTMLButtonElement>(id).disabled = results === null;
}

function showResults({ engines }: Results): void {
  const { head, body } = resultTable(engines);
  const row = (cells: readonly string[], tag: 'th' | 'td') => {
    const line = document.createElement('tr');
    line.append(
      ...cells.map((text) => {
        const cell = document.createElement(tag);
        cell.textContent = text;
        if (text === 'ok' || text === 'FAILED') cell.className = text.toLowerCase();
        return cell;
      }),
    );
    return line;
  };
  const lines = body.map((cells, i) => {
    const line = row(cells, 'td');
    line.classList.toggle('ours', engines[i]!.name === 'mobilenet-webgpu');
    return line;
  });
  const table = element('results');
  table.replaceChildren(row(head, 'th'), ...lines);
  table.hidden = false;
  element('remarks').replaceChildren(
    ...[...verdicts(engines), ...remarks(engines)].map((text) => {
      const item = document.createElement('li');
      item.textContent = text;
      if (text.includes('FAILED')) item.className = 'failed';
      return item;
    }),
  );
}

const resultsText = () => `${JSON.stringify(results, null, 2)}\n`;

function save(): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([resultsText()], { type: 'application/json' }));
  link.download = `mobilenet-webgpu-bench-${results?.model ?? ''}.json`;
  link.click();
  // The download has its own reference by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function copy(): Promise<void> {
  await navigator.clipboard.writeText(resultsText());
  status('The results are on the clipboard.');
}

fillForm();
listen();
element('settings').addEventListener('submit', (event) => {
  event.preventDefault();
  void start();
});
element('stop').addEventListener('click', () => stopping?.abort());
element('save').addEventListener('click', save);
element('copy').addEventListener('click', () => {
  copy().catch((error: unknown) => status(`Copying failed: ${messageOf(error)}`));
});
describeAdapter().then((adapter) => {
  element('adapter').textContent = `WebGPU here: ${adapterName(adapter)}.`;
});
