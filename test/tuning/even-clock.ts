import type { Model, TuneOptions, TuningReport } from '../../src/index.ts';
import { DispatchClock } from '../../src/scheduler/dispatch-time.ts';

/** Milliseconds of every submit. */
const SUBMIT_MS = 5;

/**
 * Tunes by a clock by which every submit takes as long, whatever else the machine does: no kernel is faster than another,
 * and the adapter is that of the visit before. Nothing else takes any time, so that a budget is a number of submits.
 */
export async function tuneEvenly(model: Model, options: TuneOptions): Promise<TuningReport> {
  const { time } = DispatchClock.prototype;
  let now = performance.now();
  DispatchClock.prototype.time = async function (encoders) {
    now += SUBMIT_MS;
    return (await time.call(this, encoders)).map(() => SUBMIT_MS);
  };
  performance.now = () => now;
  try {
    return await model.tune(options);
  } finally {
    DispatchClock.prototype.time = time;
    // The page's own again.
    Reflect.deleteProperty(performance, 'now');
  }
}
