/** Tunes a model in the browser, with a cache of the test's own. */
import { load, seededInputs, type TuningCache } from '../../src/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';

export async function tuneTwice({ id, corrupt }: { id: string; corrupt?: unknown }) {
  const kept = new Map<string, unknown>();
  const cache: TuningCache = {
    get: async (key) => (corrupt === undefined ? kept.get(key) : corrupt),
    set: async (key, value) => {
      kept.set(key, structuredClone(value));
    },
  };
  const reports = [];
  const differences: number[] = [];
  let stored = 0;
  for (let time = 0; time < 2; time++) {
    const model = await load(id, { device: 'webgpu', tuning: 'off' });
    const inputs = seededInputs(model.graph);
    const before = await model.run(inputs);
    const progress: number[] = [];
    const report = await model.tune({
      budgetMs: corrupt === undefined ? 150_000 : 500,
      cache,
      onProgress: ({ done }) => progress.push(done),
    });
    const after = await model.run(inputs);
    for (const [name, values] of Object.entries(before)) differences.push(compareOutputs(after[name]!, values).nmse);
    const valid = await model.validate(inputs);
    reports.push({
      layers: report.layers.length,
      tried: report.layers.map(({ tried }) => tried),
      remembered: report.remembered,
      complete: report.complete,
      kernels: report.kernels,
      validated: valid.ok && valid.layers.every(({ kernel }, i) => kernel === report.kernels[i]),
      progress,
    });
    stored = kept.size;
    model.dispose();
  }
  return { reports, differences, stored };
}

/** Runs and tunes at once; what the runs gave, and how a tuning ends that is cancelled, or whose model is disposed of. */
export async function tuneMeanwhile({ id }: { id: string }) {
  const model = await load(id, { device: 'webgpu' });
  const inputs = seededInputs(model.graph);
  const first = await model.run(inputs);
  const started = model.tuned !== null;
  const differences: number[] = [];
  for (let i = 0; i < 5; i++) {
    for (const [name, values] of Object.entries(await model.run(inputs))) {
      differences.push(compareOutputs(values, first[name]!).nmse);
    }
  }
  await model.tuned;
  const controller = new AbortController();
  const cancelled = model.tune({ cache: null, signal: controller.signal }).then(
    () => 'done',
    (error) => error.name,
  );
  controller.abort();
  const outcome = await cancelled;
  const works = Object.keys(await model.run(inputs)).length;
  const unfinished = model.tune({ cache: null }).then(
    () => 'done',
    (error) => error.message,
  );
  model.dispose();
  return { started, differences, outcome, works, disposed: await unfinished };
}
