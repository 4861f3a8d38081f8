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
  const timer = new PlanTimer(executor, clock, signal);
  const samples: number[][] = [];
  try {
    await timer.settle(values);
    for (let round = 0; round < repeats; round++) samples.push(await timer.round());
  } finally {
    clock.dispose();
  }
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

/** Times every dispatch of a plan, each as often in a pass of its own as the clock needs to resolve it. */
class PlanTimer {
  readonly #executor: Executor;
  readonly #clock: DispatchClock;
  readonly #signal: AbortSignal | undefined;
  readonly #repeats: number[];
  /** Milliseconds of each pass when it was last measured; null before that, and where the clock gave none. */
  readonly #elapsed: (number | null)[];

  constructor(executor: Executor, clock: DispatchClock, signal: AbortSignal | undefined) {
    this.#executor = executor;
    this.#clock = clock;
    this.#signal = signal;
    this.#repeats = executor.plan.dispatches.map(() => 1);
    this.#elapsed = this.#repeats.map(() => null);
  }

  /** Runs the network once, and finds out how often to repeat each dispatch. */
  async settle(inputs: readonly Float32Array[]): Promise<void> {
    // Whoever runs later leaves tensors of their own: finite numbers, which take as long.
    await this.#executor.exclusive(async () => this.#executor.upload(inputs));
    // The first pass wakes the GPU, and tells the clock's step.
    await this.#time([...this.#repeats.keys()]);
    for (let open = [...this.#repeats.keys()]; open.length > 0; ) {
      await this.#time(open);
      open = open.filter((i) => {
        const before = this.#repeats[i]!;
        this.#repeats[i] = nextRepeats(before, this.#elapsed[i]!, this.#clock.stepMs);
        return this.#repeats[i] !== before;
      });
    }
  }

  /** Milliseconds of one dispatch each. */
  async round(): Promise<number[]> {
    await this.#time([...this.#repeats.keys()]);
    return this.#elapsed.map((ms, i) => (ms ?? this.#clock.stepMs / 2) / this.#repeats[i]!);
  }

  /** In submits that are no longer than others may wait, as far as that is known. */
  async #time(dispatches: readonly number[]): Promise<void> {
    const executor = this.#executor;
    for (let from = 0; from < dispatches.length; ) {
      this.#signal?.throwIfAborted();
      let to = from;
      let expected = 0;
      while (to < dispatches.length && to - from < this.#clock.most && (to === from || expected < LONGEST_MS)) {
        expected += this.#elapsed[dispatches[to]!] ?? 0;
        to++;
      }
      const passes = dispatches.slice(from, to);
      const times = await executor.exclusive(() =>
        this.#clock.time(
          passes.map((i) => (pass) => {
            for (let repeat = 0; repeat < this.#repeats[i]!; repeat++) executor.encode(pass, i, i + 1);
          }),
        ),
      );
      times.forEach((ms, i) => {
        this.#elapsed[passes[i]!] = ms;
      });
      from = to;
    }
  }
}
