import {
  load,
  type Model,
  type ModelSource,
  type Profile,
  seededInputs,
  type ValidationReport,
} from '../../src/index.ts';
import { loadShare } from '../ui/load-share.ts';

/** Milliseconds from input upload to output readback. */
export interface Times {
  /** The run before all others: caches are cold. */
  readonly first: number;
  readonly runs: readonly number[];
}

/** What is known so far; parts arrive in the order of the fields. */
export interface Measurement {
  readonly model: Model;
  readonly loadMs: number;
  readonly gpu: Times | null;
  readonly cpu: Times | null;
  readonly profile: Profile | null;
  readonly report: ValidationReport | null;
}

export interface MeasureOptions {
  readonly runs: number;
  readonly signal: AbortSignal;
  /** `share` of the stage that is done, or null where that cannot be told. */
  readonly onStage: (stage: string, share: number | null) => void;
  readonly onMeasured: (measurement: Measurement) => void;
}

/**
 * Loads a model, times it on the GPU and on the CPU reference, profiles its layers and validates them. Without a GPU
 * only the CPU is timed. Throws what the engine throws, and the signal's reason.
 */
export async function measure(source: ModelSource, title: string, options: MeasureOptions): Promise<void> {
  const { runs, signal, onStage, onMeasured } = options;
  onStage('Loading', null);
  const start = performance.now();
  const shareOf = loadShare();
  const model = await load(source, {
    name: title,
    signal,
    tuning: 'off',
    onProgress: (step) => onStage(step.stage === 'compile' ? 'Compiling shaders' : 'Loading', shareOf(step)),
  });
  let measurement: Measurement = {
    model,
    loadMs: performance.now() - start,
    gpu: null,
    cpu: null,
    profile: null,
    report: null,
  };
  const add = (part: Partial<Measurement>) => {
    measurement = { ...measurement, ...part };
    onMeasured(measurement);
  };
  try {
    const inputs = seededInputs(model.graph);
    add({});
    if (model.device === 'webgpu') {
      onStage('Choosing kernels', null);
      await model.tune({
        signal,
        onProgress: ({ done, total }) => onStage(`Choosing kernels, ${done} of ${total}`, done / total),
      });
      add({ gpu: await time('GPU', () => model.run(inputs, { signal })) });
    }
    add({
      cpu: await time('CPU reference', (name) =>
        model.runReference(inputs, { signal, onLayer: (done, total) => onStage(name, done / total) }),
      ),
    });
    if (model.device === 'webgpu') {
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
    model.dispose();
  }

  async function time(what: string, run: (stage: string) => Promise<unknown>): Promise<Times> {
    const times: number[] = [];
    for (let i = 0; i <= runs; i++) {
      signal.throwIfAborted();
      const stage = i === 0 ? `${what}, first run` : `${what}, run ${i} of ${runs}`;
      onStage(stage, null);
      await nextFrame();
      const before = performance.now();
      await run(stage);
      times.push(performance.now() - before);
    }
    return { first: times[0]!, runs: times.slice(1) };
  }
}

/** Lets the page show the stage before the work begins; a hidden page has no frames. */
const nextFrame = () =>
  new Promise<void>((resolve) => {
    if (document.hidden) setTimeout(resolve);
    else requestAnimationFrame(() => setTimeout(resolve));
  });
