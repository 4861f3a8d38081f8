/** One network by two plans in turns, in the browser. */
import { load, type PlanOption, seededInputs, type TuningCache } from '../src/index.ts';
import { countCalls } from './webgpu-calls.ts';

export interface PairsRequest {
  readonly source: string;
  readonly plans: readonly [PlanOption, PlanOption];
  readonly pairs: number;
  readonly budgetMs: number;
}

export interface PairsSample {
  /** Milliseconds of each run, upload and readback included, a list for each plan; runs of the same index make a pair. */
  readonly times: readonly [readonly number[], readonly number[]];
  readonly kernels: readonly [readonly string[], readonly string[]];
  /** Whether every kernel and block was measured. */
  readonly complete: readonly [boolean, boolean];
  readonly maxAbsDiff: number;
  /** Of a warm run: GPU objects made, submits. */
  readonly calls: readonly [readonly [objects: number, submits: number], readonly [objects: number, submits: number]];
}

/** Both are tuned, and remember layers in one place, so that what differs is what the plans do. */
export async function measurePairs({ source, plans, pairs, budgetMs }: PairsRequest): Promise<PairsSample> {
  const counts = countCalls();
  const records = new Map<string, unknown>();
  const cache = {
    get: async (key: string) => records.get(key) ?? null,
    set: async (key: string, record: unknown) => void records.set(key, record),
  } as TuningCache;
  const opened: Awaited<ReturnType<typeof open>>[] = [];
  const open = async (plan: PlanOption) => {
    await reportProgress(`preparing ${plan} …`);
    const model = await load(source, { device: 'webgpu', tuning: 'off', plan });
    const inputs = seededInputs(model.graph);
    await model.run(inputs);
    const { kernels, complete } = await model.tune({ budgetMs, cache });
    await model.run(inputs);
    const { objects, submits } = counts;
    const outputs = Object.values(await model.run(inputs));
    const calls = [counts.objects - objects, counts.submits - submits] as const;
    return { model, inputs, kernels, complete, outputs, calls, times: [] as number[] };
  };
  try {
    for (const plan of plans) opened.push(await open(plan));
    const [one, other] = opened as [(typeof opened)[0], (typeof opened)[0]];
    for (let pair = -1; pair < pairs; pair++) {
      if (pair % 10 === 0) await reportProgress(`pair ${pair} of ${pairs} …`);
      for (const { model, inputs, times } of pair % 2 === 0 ? [one, other] : [other, one]) {
        const start = performance.now();
        await model.run(inputs);
        if (pair >= 0) times.push(performance.now() - start);
      }
    }
    let maxAbsDiff = 0;
    for (const [i, output] of one.outputs.entries()) {
      for (const [j, value] of output.entries()) {
        maxAbsDiff = Math.max(maxAbsDiff, Math.abs(value - other.outputs[i]![j]!));
      }
    }
    return {
      times: [one.times, other.times],
      kernels: [one.kernels, other.kernels],
      complete: [one.complete, other.complete],
      maxAbsDiff,
      calls: [one.calls, other.calls],
    };
  } finally {
    for (const { model } of opened) model.dispose();
  }
}
