import { DeviceLostError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { packConstants, planInSteps } from '../planner/create-plan.ts';
import type { Plan, Precision } from '../planner/plan.ts';
import { withBlocks } from '../planner/prepare.ts';
import { type KernelPreferences, kernelsFor } from '../planner/select.ts';
import type { ArenaPool } from '../scheduler/arena-pool.ts';
import { Executor } from '../scheduler/executor.ts';
import { inSlices, runInSlices } from '../scheduler/slices.ts';
import type { TrialBench } from '../scheduler/trial-bench.ts';
import { judgeOutputs } from '../validate/compare.ts';

/** A network whose plan can be exchanged. */
export interface Host {
  readonly gpu: Executor['gpu'];
  readonly graph: Graph;
  /** `graph` with its weights, which the CPU may not keep. */
  whole(): Promise<Graph>;
  readonly precision: Precision;
  readonly arena: ArenaPool;
  readonly current: Executor;
  readonly preferences: KernelPreferences;
  /** Why a plan of this graph computes wrongly; null where it does not. */
  check(plan: Plan, graph: Graph): Promise<string | null>;
  /** Whether blocks may be fused where that is faster. */
  readonly fuses: boolean;
  /** `prepared`: what `next` runs, where that has changed. */
  exchange(next: Executor, preferences: KernelPreferences, prepared?: Graph): void;
}

/** Has a network run on the kernels of these preferences from now on. Null where it does, else why it does not. */
export type Adopt = (preferences: KernelPreferences) => Promise<string | null>;

/**
 * Takes kernels up only where the network gives the same outputs as with those so far, and, where it is asked whether they are
 * `slower`, they are not. Throws the signal's reason, `DeviceLostError`.
 */
export const adopter =
  (host: Host, bench: TrialBench, signal: AbortSignal, slower?: (next: Executor) => Promise<boolean>): Adopt =>
  async (preferences) => {
    const { gpu } = bench;
    // Whatever ran is on another device where this one is lost.
    gpu.check();
    const { precision, arena, current } = host;
    let next: Executor | null = null;
    try {
      const graph = await withBlocks(await host.whole(), preferences);
      const kernels = await kernelsFor(graph, preferences);
      const options = { precision, preferences, limits: gpu.device.limits };
      const plan = await runInSlices(planInSteps(graph, kernels, options));
      signal.throwIfAborted();
      const kernelsIn = ({ dispatches }: Plan) => dispatches.map(({ node, kernel }) => `${node} ${kernel}`).join('\n');
      if (kernelsIn(plan) === kernelsIn(current.plan)) {
        host.exchange(current, preferences);
        return null;
      }
      next = await Executor.create(gpu, plan, inSlices(packConstants(graph, plan, kernels)), { signal, arena });
      const miscomputes = await host.check(plan, graph);
      if (miscomputes) throw new Error(miscomputes);
      const expected = await bench.outputsOf(current);
      const found = await bench.outputsOf(next);
      signal.throwIfAborted();
      const wrong = judgeOutputs(graph, precision, found, expected, preferences.arithmetic).find(({ ok }) => !ok);
      if (wrong) throw new Error(`output "${wrong.name}" is another with it`);
      if (await slower?.(next)) throw new Error('the network is slower with it');
      signal.throwIfAborted();
      host.exchange(next, preferences, graph);
      next = null;
      return null;
    } catch (error) {
      signal.throwIfAborted();
      bench.gpu.check();
      if (error instanceof DeviceLostError) throw error;
      return error instanceof Error ? error.message : String(error);
    } finally {
      next?.dispose();
    }
  };

/** A kernel for a kind of layer, by `layerKey`. */
type Choice = readonly [key: string, kernel: string];

export interface Refusal {
  readonly key: string;
  readonly kernel: string;
  readonly reason: string;
}

/**
 * Has as many of the choices adopted as can be, and returns those that cannot, each with its reason: where all together
 * are refused, halves of them are tried, until it is known which.
 */
export async function keepAdoptable(
  choices: readonly Choice[],
  adopt: (choices: readonly Choice[]) => Promise<string | null>,
): Promise<Refusal[]> {
  const refused: Refusal[] = [];
  let kept: readonly Choice[] = [];
  const add = async (added: readonly Choice[]): Promise<void> => {
    if (added.length === 0) return;
    const reason = await adopt([...kept, ...added]);
    if (reason === null) {
      kept = [...kept, ...added];
      return;
    }
    const [first] = added;
    if (added.length === 1) {
      refused.push({ key: first![0], kernel: first![1], reason });
      return;
    }
    const middle = added.length >> 1;
    await add(added.slice(0, middle));
    await add(added.slice(middle));
  };
  await add(choices);
  return refused;
}
