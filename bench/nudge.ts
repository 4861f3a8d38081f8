import { settle } from '../src/device/settle.ts';

/** Whether waits for the GPU are nudged; a caller switches it. */
export interface Nudging {
  on: boolean;
}

/**
 * Wraps what engines of this realm wait for the GPU with, before any is loaded: while `on`, and only while one waits, an
 * empty submit every few milliseconds makes a browser look at its queue that else would do so by a slow timer. It is what this
 * engine does by itself.
 */
export function nudgeWaits(): Nudging {
  const nudging: Nudging = { on: false };
  if (typeof GPUQueue === 'undefined') return nudging;
  let last: GPUQueue | null = null;
  const { submit, onSubmittedWorkDone } = GPUQueue.prototype;
  const { mapAsync } = GPUBuffer.prototype;
  const wait = (queue: GPUQueue | null, promise: Promise<undefined>) =>
    nudging.on && queue ? settle({ device: { queue }, pollsSlowly: true, settled: true }, promise) : promise;
  GPUQueue.prototype.submit = function (this: GPUQueue, buffers) {
    last = this;
    return submit.call(this, buffers);
  };
  GPUQueue.prototype.onSubmittedWorkDone = function (this: GPUQueue) {
    return wait(this, onSubmittedWorkDone.call(this));
  };
  // A buffer does not tell its device: an engine has one.
  GPUBuffer.prototype.mapAsync = function (this: GPUBuffer, ...range) {
    return wait(last, mapAsync.apply(this, range));
  };
  return nudging;
}
