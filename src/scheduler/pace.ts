import { median } from './median.ts';

/** Milliseconds that so many dispatches of one thing took together, in one submit; null where the clock gave no time. */
export type Measure = (repeats: number) => Promise<number | null>;

/** A measurement lasts as many steps of its clock: each end of it is off by less than one. */
export const STEPS = 20;

/** It lasts as long at least, whatever the clock, so that what else a submit costs is small beside it. */
const SHORTEST_MS = 2;

/** Others wait for the GPU while it runs: no submit is made longer than this, but by a single dispatch that is. */
export const LONGEST_MS = 20;

/** Dispatches of a submit: more take long to encode. */
export const MOST_REPEATS = 1024;

/** Over what is needed, as times vary. */
const MARGIN = 1.25;

/** How one dispatch is measured: how often in a submit, and what it took when that was found out. */
export interface Pace {
  readonly repeats: number;
  /** Of one dispatch. */
  readonly ms: number;
}

/**
 * The repeats after which one measurement lasts long enough for its clock, within the bounds: `repeats` are enough where
 * that is what it returns.
 */
export function nextRepeats(repeats: number, elapsed: number | null, stepMs: number): number {
  const wanted = Math.max(SHORTEST_MS, STEPS * stepMs);
  const known = elapsed ?? 0;
  if (known >= wanted) return repeats;
  // Less than two steps say little: perhaps nothing.
  const next = known < 2 * stepMs ? 8 * repeats : Math.ceil((repeats * MARGIN * wanted) / known);
  const longest = Math.floor((LONGEST_MS * repeats) / (known + stepMs));
  return Math.max(repeats, Math.min(next, longest, MOST_REPEATS));
}

/** Finds out how to measure something; null where its clock gives no time. */
export async function findPace(measure: Measure, stepMs: () => number): Promise<Pace | null> {
  // The first dispatch wakes the GPU.
  await measure(1);
  for (let repeats = 1; ; ) {
    const elapsed = await measure(repeats);
    const next = nextRepeats(repeats, elapsed, stepMs());
    if (next === repeats) return elapsed === null ? null : { repeats, ms: elapsed / repeats };
    repeats = next;
  }
}

/** A lead of one over another counts from this share of its time on. */
const CLEARLY_FASTER = 0.95;

/** What took more than this many times as long is not measured any further. */
const HOPELESS = 1.6;

/** Pairs of measurements until it may be told that one is faster, that it is not, and until it is given up. */
const PAIRS_TO_WIN = 5;
const PAIRS_TO_LOSE = 2;
const MOST_PAIRS = 16;

/** How many standard errors must lie between a lead and none to win; fewer to lose, which changes nothing. */
const WIN_ERRORS = 3;
const LOSE_ERRORS = 1;

/** Standard deviation of a pair's logarithm: what is supposed where few pairs show less. */
const PAIR_NOISE = 0.06;

export interface Duel {
  /** Whether the challenger clearly takes less time. */
  readonly faster: boolean;
  /** Milliseconds of a dispatch of the challenger; null where its clock gave no time. */
  readonly ms: number | null;
}

/**
 * Whether a challenger takes clearly less time than a champion: a sequential test on the logarithms of interleaved
 * pairs of measurements, which what slows both leaves alone. Without a clear lead it does not.
 */
export async function duel(
  champion: { readonly measure: Measure; readonly pace: Pace },
  challenger: { readonly measure: Measure; readonly pace: Pace },
  stepMs: () => number,
): Promise<Duel> {
  const times = [challenger.pace.ms];
  if (challenger.pace.ms > HOPELESS * champion.pace.ms) return { faster: false, ms: times[0]! };
  const logarithms: number[] = [];
  const limit = Math.log(CLEARLY_FASTER);
  for (let pair = 0; pair < MOST_PAIRS; pair++) {
    // In turns, so that a drift does not favour one.
    const order = pair % 2 ? [challenger, champion] : [champion, challenger];
    const took = new Map<unknown, number>();
    for (const one of order) {
      const elapsed = await one.measure(one.pace.repeats);
      if (elapsed !== null) took.set(one, elapsed);
    }
    const [a, b] = [took.get(champion), took.get(challenger)];
    if (a === undefined || b === undefined) continue;
    times.push(b / challenger.pace.repeats);
    logarithms.push(Math.log((b * champion.pace.repeats) / (a * challenger.pace.repeats)));
    const count = logarithms.length;
    const lead = logarithms.reduce((sum, value) => sum + value, 0) / count;
    const square = logarithms.reduce((sum, value) => sum + (value - lead) ** 2, 0) / Math.max(1, count - 1);
    // Each end of a measurement falls anywhere within a step: a variance of 1/12 of its square.
    const rounding = (stepMs() ** 2 / 6) * (a ** -2 + b ** -2);
    const error = Math.sqrt(Math.max(square, PAIR_NOISE ** 2, rounding) / count);
    if (count >= PAIRS_TO_WIN && lead + WIN_ERRORS * error < limit) return { faster: true, ms: median(times) };
    if (count >= PAIRS_TO_LOSE && lead - limit > LOSE_ERRORS * error) break;
  }
  return { faster: false, ms: median(times) };
}
