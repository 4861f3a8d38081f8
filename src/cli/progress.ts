import { Presets, SingleBar } from 'cli-progress';
import type { Io } from './io.ts';

export interface Progress {
  /** `done` of the total; `what` is shown beside it. */
  update(done: number, what: string): void;
  stop(): void;
}

/** A bar on standard error, where that is a terminal; nothing elsewhere. */
export function progressBar(io: Io, total: number, unit: string): Progress {
  if (!io.terminal) return { update: () => {}, stop: () => {} };
  const bar = new SingleBar(
    { format: `{bar} {value}/{total} ${unit}, {eta_formatted} left {what}`, stream: process.stderr, hideCursor: null },
    Presets.shades_classic,
  );
  bar.start(total, 0, { what: '' });
  return { update: (done, what) => bar.update(done, { what }), stop: () => bar.stop() };
}
