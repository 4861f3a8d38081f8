import { DeviceError, load, type Model, type Profile, seededInputs, type ValidationReport } from '../../src/index.ts';
import type { ShelfModel } from '../models/shelf.ts';
import { loadShare } from '../ui/load-share.ts';
import { openCpuEngine } from './cpu-engine.ts';
import { clockStep, StallWatch } from './stall.ts';

/** Milliseconds from input upload to output readback. */
export interface Times {
  /** The run before all others: caches are cold. */
  readonly first: number;
  readonly runs: readonly number[];
}

/** From the click to kernels that were measured, in milliseconds from the start; null where a stage did not happen. */
export interface ColdStart {
  /** The file is there and understood. */
  readonly read: number;
  /** Pipelines are compiled and weights are on the device. */
  readonly ready: number;
  readonly firstResult: number | null;
  readonly tuned: number | null;
}

/** The GPU's queue kept busy: several inferences under way at once. */
export interface Throughput {
  readonly framesPerSecond: number;
  /** JavaScript and API time of an inference, in milliseconds. */
  readonly hostMs: number;
}

/** What is known so far; parts arrive in the order of the fields. */
export interface Measurement {
  readonly model: Model;
  readonly cold: ColdStart;
  readonly gpu: Times | null;
  readonly wasm: Times | null;
  /** Why there are no times of it. */
  readonly noWasm: string;
  readonly cpu: Times | null;
  readonly throughput: Throughput | null;
  readonly profile: Profile | null;
  readonly report: ValidationReport | null;
  /** The longest pause of the page's main thread while the network was loaded, tuned and run on the GPU, in milliseconds. */
  readonly stallMs: number;
  /** The smallest step of the page's clock, in milliseconds. */
  readonly clockMs: number;
}

export interface MeasureOptions {
  readonly runs: number;
  readonly signal: AbortSignal;
  /** `share` of the stage that is done, or null where that cannot be told. */
  readonly onStage: (stage: string, share: number | null) => void;
  readonly onMeasured: (measurement: Measurement) => void;
}

/** The reference takes its turns among the first of the others: it is slow, and a validator. */
const REFERENCE_RUNS = 3;

/** Inferences under way at once for the throughput. */
const IN_FLIGHT = 3;

/**
 * Loads a model, times it on the GPU, the CPU engine and the CPU reference, run after run in turn, profiles its layers and
 * validates them. Without a GPU only the CPU is timed. Throws what the engine throws, and the signal's reason.
 */
export async function measure(
  { source, title, options: loading }: ShelfModel,
  { runs, signal, onStage, onMeasured }: MeasureOptions,
): Promise<void> {
  const clockMs = clockStep();
  onStage('Loading', null);
  let stall: StallWatch | null = new StallWatch();
  const start = performance.now();
  const since = () => performance.now() - start;
  let read = 0;
  const shareOf = loadShare();
  const model = await load(source, {
    ...loading,
    name: title,
    signal,
    tuning: 'off',
    device: 'webgpu',
    onProgress: (step) => {
      if (step.stage !== 'compile') read = since();
      onStage(step.stage === 'compile' ? 'Compiling shaders' : 'Loading', shareOf(step));
    },
  }).catch((error) => {
    if (!(error instanceof DeviceError)) throw error;
    return load(source, { ...loading, name: title, signal, device: 'reference' });
  });
  const onGpu = model.device === 'webgpu';
  let measurement: Measurement = {
    model,
    cold: { read, ready: since(), firstResult: null, tuned: null },
    ...{ gpu: null, wasm: null, noWasm: '', cpu: null, throughput: null, profile: null, report: null },
    stallMs: 0,
    clockMs,
  };
  const add = (part: Partial<Measurement>) => {
    measurement = { ...measurement, ...part };
    onMeasured(measurement);
  };
  let wasm: Model | null = null;
  try {
    const inputs = seededInputs(model.graph);
    const runners: Runner[] = [];
    if (onGpu) {
      onStage('First result', null);
      const first = await timed(() => model.run(inputs, { signal }));
      add({ cold: { ...measurement.cold, firstResult: since() } });
      onStage('Choosing kernels', null);
      await model.tune({
        signal,
        onProgress: ({ done, total }) => onStage(`Choosing kernels, ${done} of ${total}`, done / total),
      });
      add({ cold: { ...measurement.cold, tuned: since() } });
      runners.push({ key: 'gpu', what: 'GPU', first, most: runs, run: () => model.run(inputs, { signal }) });
      add({ throughput: await throughputOf(model, inputs, runs, signal) });
      add({ stallMs: stall.stop() });
      stall = null;
    }
    onStage('Opening the CPU engine', null);
    const opened = await openCpuEngine(source, { ...loading, name: title, signal });
    if (opened.model) {
      wasm = opened.model;
      const cpu = opened.model;
      const first = await timed(() => cpu.run(inputs, { signal }));
      runners.push({ key: 'wasm', what: 'CPU engine', first, most: runs, run: () => cpu.run(inputs, { signal }) });
    } else add({ noWasm: opened.reason });
    const onReference = (text: string) =>
      model.runReference(inputs, { signal, onLayer: (done, total) => onStage(text, done / total) });
    runners.push({
      key: 'cpu',
      what: 'CPU reference',
      first: await timed(() => onReference('CPU reference, first run')),
      most: Math.min(runs, REFERENCE_RUNS),
      run: onReference,
    });
    await inTurn(runners, runs, add, onStage, signal);
    if (onGpu) {
      onStage('Timing each layer', null);
      add({ profile: await model.profile(inputs, { repeats: 3, signal }) });
      onStage('Checking each layer', 0);
      add({
        report: await model.validate(inputs, {
          signal,
          onLayer: (done, total) => onStage('Checking each layer', done / total),
        }),
      });
    }
  } finally {
    stall?.stop();
    wasm?.dispose();
    model.dispose();
  }
}

interface Runner {
  readonly key: 'gpu' | 'wasm' | 'cpu';
  readonly what: string;
  readonly first: number;
  readonly most: number;
  readonly run: (stage: string) => Promise<unknown>;
}

/** Each engine once, then each again, so that what slows the machine slows all of them. */
async function inTurn(
  runners: readonly Runner[],
  runs: number,
  add: (part: Partial<Measurement>) => void,
  onStage: MeasureOptions['onStage'],
  signal: AbortSignal,
): Promise<void> {
  const times = new Map(runners.map(({ key }) => [key, [] as number[]]));
  for (let i = 0; i < runs; i++) {
    for (const { key, what, most, run } of runners) {
      if (i >= most) continue;
      signal.throwIfAborted();
      const stage = `${what}, run ${i + 1} of ${most}`;
      onStage(stage, (i + 1) / runs);
      await nextFrame();
      times.get(key)!.push(await timed(() => run(stage)));
    }
    const known = runners.map(({ key, first }) => [key, { first, runs: [...times.get(key)!] }] as const);
    add(Object.fromEntries(known.filter(([, { runs: done }]) => done.length > 0)));
  }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await run();
  return performance.now() - before;
}

async function throughputOf(
  model: Model,
  inputs: Readonly<Record<string, Float32Array>>,
  runs: number,
  signal: AbortSignal,
): Promise<Throughput> {
  const count = Math.max(IN_FLIGHT, Math.min(12, 2 * runs));
  let hostMs = 0;
  let asked = 0;
  const start = performance.now();
  const one = async () => {
    while (asked < count) {
      asked++;
      const before = performance.now();
      // What the call does before it first waits: packing, encoding, submitting.
      const running = model.run(inputs, { signal });
      hostMs += performance.now() - before;
      await running;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  return { framesPerSecond: (1000 * count) / (performance.now() - start), hostMs: hostMs / count };
}

/** Lets the page show the stage before the work begins; a hidden page has no frames. */
const nextFrame = () =>
  new Promise<void>((resolve) => {
    if (document.hidden) setTimeout(resolve);
    else requestAnimationFrame(() => setTimeout(resolve));
  });
