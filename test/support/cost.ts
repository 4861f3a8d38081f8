import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';

setFlagsFromString('--expose-gc');
const gc: (options: object) => void = runInNewContext('gc');

/** Gives freed pages back to the system, too: work that used them again would not show. */
const collectGarbage = () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });

/** A process's memory in MB, as Linux counts it: `VmRSS` now, `VmHWM` at its peak. */
const memory = (field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))![1]) / 1024;

/** The peak begins anew: where it begins, or null where the system has no way to do so. */
function resetPeak(): number | null {
  try {
    // "5" resets VmHWM to VmRSS (proc_pid_clear_refs(5)).
    writeFileSync('/proc/self/clear_refs', '5');
    const peak = memory('VmHWM');
    // Other threads may give pages back in between.
    return peak < memory('VmRSS') + 32 ? peak : null;
  } catch {
    return null;
  }
}

/** Collects garbage. Other threads hand freed pages back by and by: until the process has not shrunk for a while. */
async function settle(): Promise<void> {
  collectGarbage();
  let least = memory('VmRSS');
  for (let attempt = 0, still = 0; attempt < 100 && still < 4; attempt++) {
    await setTimeout(5);
    const now = memory('VmRSS');
    still = now > least - 0.25 ? still + 1 : 0;
    least = Math.min(least, now);
  }
}

export interface Cost {
  /** Of all threads: another process's work does not count. */
  readonly cpuSeconds: number;
  /** How far the process's memory rose above where it was, at its highest; null where the system does not tell. */
  readonly peakMegabytes: number | null;
}

/** What `work` gives, and what it took. Garbage of before is collected first, so that it cannot hide what `work` takes. */
export async function costOf<T>(
  work: () => T | Promise<T>,
): Promise<{ readonly result: Awaited<T>; readonly cost: Cost }> {
  if (resetPeak() !== null) await settle();
  const before = resetPeak();
  const start = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(start);
  const peakMegabytes = before === null ? null : memory('VmHWM') - before;
  return { result, cost: { cpuSeconds: (user + system) / 1e6, peakMegabytes } };
}

let told = false;

/**
 * Runs `work` on a file that is made to harm, and fails where it takes more than 5 seconds of CPU time (a quadratic
 * algorithm takes minutes) or 100 MB.
 */
export async function cheaply<T>(work: () => T | Promise<T>): Promise<Awaited<T>> {
  const { result, cost } = await costOf(work);
  expect(cost.cpuSeconds, 'CPU seconds').toBeLessThan(5);
  if (cost.peakMegabytes !== null) expect(cost.peakMegabytes, 'MB at the peak').toBeLessThan(100);
  else if (!told) console.warn('memory is not measured: /proc/self/clear_refs is not there or cannot be written');
  told ||= cost.peakMegabytes === null;
  return result;
}
