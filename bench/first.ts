import { withCheck, withoutCheck } from './engines/keys.ts';
import type { Driver } from './measure.ts';
import { quantile } from './results.ts';

/** First results with the self-check and without, in turns. */
const TURNS = 10;

/** Milliseconds, in order; those of one index were taken one after the other. */
interface Times {
  /** Until the model can run. */
  readonly load: number[];
  /** Until its first result. */
  readonly first: number[];
}

export interface ShareOfCheck {
  readonly checked: Times;
  readonly unchecked: Times;
  /** The self-check's part of the time until a first result: medians. */
  readonly share: number;
}

/** Each in a fresh browser without shader caches. Throws where an output is wrong. */
export async function shareOfCheck(
  driver: Pick<Driver, 'first'>,
  turns: number | null,
  signal: AbortSignal,
  log: (message: string) => void,
): Promise<ShareOfCheck> {
  const times: Record<string, Times> = {
    [withCheck]: { load: [], first: [] },
    [withoutCheck]: { load: [], first: [] },
  };
  const of = turns ?? TURNS;
  for (let turn = 0; turn < of; turn++) {
    log(`first results, ${turn + 1} of ${of} …`);
    for (const setting of turn % 2 === 0 ? [withCheck, withoutCheck] : [withoutCheck, withCheck]) {
      signal.throwIfAborted();
      const setup = { name: 'mobilenet-webgpu', device: 'webgpu', setting, tuned: false, precision: 'auto' } as const;
      const { loadMs, firstMs, judgement } = await driver.first(setup, false);
      if (judgement.error !== null) throw new Error(judgement.error);
      times[setting]!.load.push(loadMs);
      times[setting]!.first.push(firstMs);
    }
  }
  const [checked, unchecked] = [times[withCheck]!, times[withoutCheck]!];
  return { checked, unchecked, share: 1 - quantile(unchecked.first, 0.5) / quantile(checked.first, 0.5) };
}

export function describeShare(found: ShareOfCheck & { readonly browser: string; readonly model: string }): string {
  const { browser, model, checked, unchecked, share } = found;
  const line = (name: string, { load, first }: Times) => {
    const inference = first.map((ms, i) => ms - load[i]!);
    const [all, loading, running] = [first, load, inference].map((ms) => quantile(ms, 0.5).toFixed(0));
    const least = Math.min(...first).toFixed(0);
    return `${name}: first result ${all} ms (least ${least}); to load ${loading}, first inference ${running}`;
  };
  return [
    `${model} in ${browser}, medians of ${checked.first.length} fresh browsers each`,
    line('with the self-check', checked),
    line('without it', unchecked),
    `the self-check takes ${(100 * share).toFixed(1)} % of the time until a first result`,
    '',
  ].join('\n');
}
