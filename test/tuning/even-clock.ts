import type { Model, TuneOptions, TuningReport } from '../../src/index.ts';
import { DispatchClock } from '../../src/scheduler/dispatch-time.ts';

/** Milliseconds of every submit. */
const SUBMIT_MS = 5;

/** A dispatch of a timed submit: its shader, and how many workgroups it has. */
export interface TimedDispatch {
  readonly shader: string;
  readonly workgroups: number;
}

/**
 * Tunes by a clock by which every submit takes as long, whatever else the machine does: no kernel is faster than another,
 * and the adapter is that of the visit before. Nothing else takes any time, so that a budget is a number of submits.
 */
export const tuneEvenly = (model: Model, options: TuneOptions): Promise<TuningReport> =>
  tuneBy(model, options, () => SUBMIT_MS);

/** The same by a clock by which a submit takes what `timeOf` says of its dispatches. */
export async function tuneBy(
  model: Model,
  options: TuneOptions,
  timeOf: (dispatches: readonly TimedDispatch[]) => number,
): Promise<TuningReport> {
  const { time } = DispatchClock.prototype;
  let now = performance.now();
  DispatchClock.prototype.time = async function (encoders) {
    now += SUBMIT_MS;
    const dispatches = encoders.map((): TimedDispatch[] => []);
    const watched = encoders.map((encode, i) => (pass: GPUComputePassEncoder) => encode(watch(pass, dispatches[i]!)));
    await time.call(this, watched);
    return dispatches.map(timeOf);
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

/** A pass whose dispatches are written down. */
function watch(pass: GPUComputePassEncoder, dispatches: TimedDispatch[]): GPUComputePassEncoder {
  let shader = '';
  return {
    setPipeline(pipeline: GPUComputePipeline) {
      shader = pipeline.label;
      pass.setPipeline(pipeline);
    },
    setBindGroup: (...args: Parameters<GPUComputePassEncoder['setBindGroup']>) => pass.setBindGroup(...args),
    dispatchWorkgroups(x: number, y = 1, z = 1) {
      dispatches.push({ shader, workgroups: x * y * z });
      pass.dispatchWorkgroups(x, y, z);
    },
  } as unknown as GPUComputePassEncoder;
}
