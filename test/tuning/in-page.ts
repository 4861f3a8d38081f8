/** Tunes a model in the browser, with a cache of the test's own. */
import { type Conv2d, type Graph, load, seededInputs, type TuningCache, type TuningRecord } from '../../src/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { randomValues } from '../support/random-values.ts';
import { tuneEvenly } from './even-clock.ts';
import { trialValue } from './trial-value.ts';

export async function tuneTwice({ id, corrupt, precision }: { id: string; corrupt?: unknown; precision?: 'float16' }) {
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
  for (let time = 0; time < (corrupt === undefined ? 2 : 1); time++) {
    const model = await load(id, { plan: 'unfused', device: 'webgpu', precision, tuning: 'off' });
    const inputs = seededInputs(model.graph);
    const before = await model.run(inputs);
    const progress: number[] = [];
    const report = await tuneEvenly(model, {
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
      validated: valid.ok && report.kernels.every((kernel, i) => kernel === valid.layers[i]!.kernel),
      progress,
    });
    stored = kept.size;
    model.dispose();
  }
  return { reports, differences, stored };
}

/** Runs and tunes at once; what the runs gave, and how a tuning ends that is cancelled, or whose model is disposed of. */
export async function tuneMeanwhile({ id }: { id: string }) {
  const model = await load(id, { plan: 'unfused', device: 'webgpu' });
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

/** The inputs with which kernels are compared before they are taken up. */
const adopted = (length: number) => Float32Array.from({ length }, (_, i) => trialValue(i, 4096, 1));

/** One probability near zero: the sigmoid of a sum of products that almost cancel out. */
function improbable(): Graph {
  const products = 256;
  const graph: Graph = {
    name: 'improbable',
    inputs: [{ name: 'x', shape: [1, 1, 1, products] }],
    outputs: [{ name: 'p', tensor: 'p' }],
    nodes: [],
  };
  const weights = randomValues(products, 1).map((value) => 100 * value);
  const sum = adopted(products).reduce((total, value, i) => total + value * weights[i]!, 0);
  const node: Conv2d = {
    op: 'conv2d',
    name: 'improbable',
    inputs: ['x'],
    output: 'p',
    weights,
    bias: Float32Array.of(-10 - sum),
    kernel: [1, 1],
    stride: [1, 1],
    dilation: [1, 1],
    padding: { top: 0, left: 0, bottom: 0, right: 0 },
    groups: 1,
    outChannels: 1,
    activation: 'sigmoid',
  };
  return { ...graph, nodes: [node] };
}

/** Tunes it to a kernel that sums in another order, which the cache claims to be the fastest. */
export async function tuneProbability() {
  let record: TuningRecord | null = null;
  const cache: TuningCache = {
    get: async () => record,
    set: async (_, value) => {
      record = value as TuningRecord;
    },
  };
  const graph = improbable();
  const inputs = adopted(graph.inputs[0]!.shape[3]);
  const open = () => load(graph, { plan: 'unfused', device: 'webgpu', tuning: 'off' });
  const first = await open();
  await tuneEvenly(first, { cache, budgetMs: 150_000 });
  first.dispose();
  const model = await open();
  const [before] = model.plan.dispatches;
  const other = before!.kernel === 'matrix-vector' ? 'matrix-vector/4x1-texture' : 'matrix-vector';
  const { layers, ...rest } = record! as TuningRecord;
  const claimed = Object.entries(layers).map(([key, layer]) => [key, { ...layer, kernel: other }]);
  record = { ...rest, layers: Object.fromEntries(claimed) };
  const expected = (await model.run(inputs)).p!;
  const { kernels } = await tuneEvenly(model, { cache });
  const actual = (await model.run(inputs)).p!;
  model.dispose();
  return { kernels, other, p: expected[0]!, nmse: compareOutputs(actual, expected).nmse };
}
