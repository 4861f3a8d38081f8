import { UsageError } from '../errors.ts';
import type { Shape } from '../graph/ops.ts';
import { DispatchClock } from './dispatch-time.ts';
import type { Executor } from './executor.ts';
import { median } from './median.ts';
import { LONGEST_MS, nextRepeats } from './pace.ts';
import { checkInputs } from './tensors.ts';

export interface LayerTime {
  readonly node: string;
  readonly kernel: string;
  readonly shape: Shape;
  /** Median milliseconds of one dispatch. */
  readonly ms: number;
}

export interface Profile {
  /** `timestamp-query`: the GPU's own clock around the repeats of a dispatch; `wall-clock`: the page's. */
  readonly method: 'timestamp-query' | 'wall-clock';
  readonly layers: readonly LayerTime[];
}

export interface ProfileOptions {
  /** How often the network is run; the median of each dispatch is kept. */
  readonly repeats?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Passes of a submit that are timed together. */
const MOST_PASSES = 64;

/**
 * The time of each dispatch, which is repeated in its pass until the clock resolves it. Timestamps exist at the
 * boundaries of passes only, so each dispatch gets a pass of its own here: the sum is larger than the time of a run, which
 * has one pass for all. Runs go on meanwhile, between submits.
 */
export async function profile(
  executor: Executor,
  inputs: Float32Array | Readonly<Record<string, Float32Array>>,
  { repeats = 5, signal }: ProfileOptions = {},
): Promise<Profile> {
  const { plan, gpu } = executor;
  const values = checkInputs(
    inputs,
    plan.inputs.map((name) => ({ name, shape: plan.tensors[name]!.shape })),
  );
  if (!(Number.isInteger(repeats) && repeats > 0))
    throw new UsageError(`repeats is ${repeats}, expected a whole number ≥ 1`);
  const clock = await DispatchClock.create(gpu, MOST_PASSES);
  const samples = await timeDispatches(executor, clock, values, repeats, signal).finally(() => clock.dispose());
  return {
    method: clock.method,
    layers: plan.dispatches.map(({ node, kernel, writes }, i) => ({
      node,
      kernel,
      shape: plan.tensors[writes[0]!]!.shape,
      ms: median(samples.map((round) => round[i]!)),
    })),
  };
}

/** Milliseconds of one dispatch each, `rounds` times: each as often in a pass of its own as the clock needs to resolve it. */
async function timeDispatches(
  executor: Executor,
  clock: DispatchClock,
  inputs: readonly Float32Array[],
  rounds: number,
  signal: AbortSignal | undefined,
): Promise<number[][]> {
  const repeats = executor.plan.dispatches.map(() => 1);
  /** Milliseconds of each pass when it was last measured; null before that, and where the clock gave none. */
  const elapsed: (number | null)[] = repeats.map(() => null);
  const all = [...repeats.keys()];

  /** In submits that are no longer than others may wait, as far as that is known. */
  const time = async (dispatches: readonly number[]) => {
    for (let from = 0; from < dispatches.length; ) {
      signal?.throwIfAborted();
      let to = from;
      let expected = 0;
      while (to < dispatches.length && to - from < clock.most && (to === from || expected < LONGEST_MS)) {
        expected += elapsed[dispatches[to]!] ?? 0;
        to++;
      }
      const passes = dispatches.slice(from, to);
      const repeated = passes.map((i) => (pass: GPUComputePassEncoder) => {
        for (let repeat = 0; repeat < repeats[i]!; repeat++) executor.resources.encode(pass, i, i + 1);
      });
      const times = await executor.exclusive(() => clock.time(repeated), { signal });
      times.forEach((ms, i) => {
        elapsed[passes[i]!] = ms;
      });
      from = to;
    }
  };

  // Whoever runs later leaves tensors of their own: finite numbers, which take as long.
  await executor.exclusive(async () => executor.upload(inputs), { signal });
  // The first pass wakes the GPU, and tells the clock's step.
  await time(all);
  for (let open = all; open.length > 0; ) {
    await time(open);
    open = open.filter((i) => {
      const before = repeats[i]!;
      repeats[i] = nextRepeats(before, elapsed[i]!, clock.stepMs);
      return repeats[i] !== before;
    });
  }
  const samples: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    await time(all);
    samples.push(elapsed.map((ms, i) => (ms ?? clock.stepMs / 2) / repeats[i]!));
  }
  return samples;
}
