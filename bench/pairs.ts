import { type BrowserName, ensureBrowser } from '../src/cli/find-browsers.ts';
import type { Io } from '../src/cli/io.ts';
import { sourceOf, withEnginePage } from '../src/cli/with-page.ts';
import type { PlanOption } from '../src/index.ts';
import type { PairsSample } from './pairs-in-page.ts';
import { quantile } from './results.ts';

export interface PairsOptions {
  readonly browser: BrowserName;
  readonly install: boolean;
  readonly model: string;
  readonly plan: PlanOption;
  readonly rounds: number | null;
  readonly json: boolean;
}

/** Pairs enough for a median within some percent. */
const PAIRS = 30;

/** For tuning: every kernel of a network on a software adapter. */
const BUDGET_MS = 15_000;

/** The plan `unfused` and another one on one network, run in turns: what they differ by, whatever else the machine does. */
export async function pairs({ browser, install, model, plan, rounds, json }: PairsOptions, io: Io): Promise<number> {
  const log = (message: string) => io.stderr.write(`${message}\n`);
  await ensureBrowser(browser, log, { install });
  const plans = ['unfused', plan] as const;
  const sample = await withEnginePage(browser, io, { log }, (page, server) => {
    const argument = { source: sourceOf(model, server), plans, pairs: rounds ?? PAIRS, budgetMs: BUDGET_MS };
    return page.call<PairsSample>('/bench/pairs-in-page.ts', 'measurePairs', argument);
  });
  io.stdout.write(json ? `${JSON.stringify({ browser, model, plans, ...sample })}\n` : describe(plans, sample));
  return 0;
}

function describe(plans: readonly PlanOption[], { times, kernels, complete, maxAbsDiff, calls }: PairsSample): string {
  const [before, after] = times;
  const ratios = after.map((ms, i) => ms / before[i]!);
  const lines = plans.map((plan, i) => {
    const all = kernels[i]!;
    const known = complete[i] ? 'all measured' : 'measured in part';
    const [objects, submits] = calls[i]!;
    const made = `${objects} GPU objects and ${submits} submit in a warm run`;
    return `${plan}: ${quantile(times[i]!, 0.5).toFixed(1)} ms, ${all.length} dispatches, ${made}; ${known}`;
  });
  const at = (q: number) => quantile(ratios, q).toFixed(3);
  return [
    ...lines,
    `${plans[1]} takes ${at(0.5)} of ${plans[0]} (median of ${ratios.length} pairs; quartiles ${at(0.25)} and ${at(0.75)})`,
    `largest difference of outputs ${maxAbsDiff.toExponential(1)}`,
    '',
  ].join('\n');
}
