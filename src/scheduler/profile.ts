import { settle } from '../device/settle.ts';
import { UsageError } from '../errors.ts';
import type { Shape } from '../graph/ops.ts';
import type { Executor } from './executor.ts';
import { median } from './median.ts';
import { checkInputs } from './tensors.ts';

export interface LayerTime {
  readonly node: string;
  readonly kernel: string;
  readonly shape: Shape;
  /** Median milliseconds of one dispatch. */
  readonly ms: number;
}

export interface Profile {
  /** `timestamp-query`: the GPU's own clock around each dispatch; `wall-clock`: the page's, around repeats of it. */
  readonly method: 'timestamp-query' | 'wall-clock';
  readonly layers: readonly LayerTime[];
}

export interface ProfileOptions {
  /** How often the network is run; the median of each dispatch is kept. */
  readonly repeats?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Times of one dispatch by the wall clock repeat it so often, so that the cost of a submit is spread. */
const WALL_CLOCK_DISPATCHES = 8;

/**
 * The time of each dispatch. Timestamps exist at the boundaries of passes only, so each dispatch gets a pass of its
 * own here: the sum is larger than the time of a run, which has one pass for all.
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
  const timestamps = gpu.device.features.has('timestamp-query');
  const samples = await executor.exclusive(async () => {
    const rounds: number[][] = [];
    for (let round = 0; round < repeats; round++) {
      signal?.throwIfAborted();
      executor.upload(values);
      rounds.push(timestamps ? await timestampRound(executor) : await wallClockRound(executor, signal));
      gpu.check();
    }
    return rounds;
  });
  return {
    method: timestamps ? 'timestamp-query' : 'wall-clock',
    layers: plan.dispatches.map(({ node, kernel, writes }, i) => ({
      node,
      kernel,
      shape: plan.tensors[writes[0]!]!.shape,
      ms: median(samples.map((round) => round[i]!)),
    })),
  };
}

async function timestampRound(executor: Executor): Promise<number[]> {
  const { device } = executor.gpu;
  const count = executor.plan.dispatches.length;
  // A query set holds at most 4096 queries.
  const size = 2048;
  const times: number[] = [];
  for (let from = 0; from < count; from += size) {
    const to = Math.min(count, from + size);
    const bytes = 16 * (to - from);
    const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * (to - from) });
    const resolved = device.createBuffer({ size: bytes, usage: 0x0200 /* QUERY_RESOLVE */ | 0x0004 /* COPY_SRC */ });
    const readback = device.createBuffer({ size: bytes, usage: 0x0001 /* MAP_READ */ | 0x0008 /* COPY_DST */ });
    const encoder = device.createCommandEncoder();
    for (let i = from; i < to; i++) {
      const at = 2 * (i - from);
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 },
      });
      executor.encode(pass, i, i + 1);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, 2 * (to - from), resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readback, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await settle(executor.gpu, readback.mapAsync(1));
    const stamps = new BigUint64Array(readback.getMappedRange());
    // A difference can be negative where the GPU's clock was reset in between.
    for (let i = 0; i < to - from; i++) times.push(Math.max(0, Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1e6));
    for (const object of [querySet, resolved, readback]) object.destroy();
  }
  return times;
}

async function wallClockRound(executor: Executor, signal: AbortSignal | undefined): Promise<number[]> {
  const { device } = executor.gpu;
  const times: number[] = [];
  for (let i = 0; i < executor.plan.dispatches.length; i++) {
    signal?.throwIfAborted();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let repeat = 0; repeat < WALL_CLOCK_DISPATCHES; repeat++) executor.encode(pass, i, i + 1);
    pass.end();
    const commands = encoder.finish();
    const start = performance.now();
    device.queue.submit([commands]);
    await settle(executor.gpu, device.queue.onSubmittedWorkDone());
    times.push((performance.now() - start) / WALL_CLOCK_DISPATCHES);
  }
  return times;
}
