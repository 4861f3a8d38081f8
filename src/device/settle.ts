/** A device, and what is known of how its browser looks at its queue. */
export interface PolledDevice {
  readonly device: Pick<GPUDevice, 'queue'>;
  readonly pollsSlowly: boolean;
  /** Whether `settle` has waited for the queue. */
  settled: boolean;
}

/** An idle queue that takes longer than this to say that it is done is looked at by a slow timer. */
const SLOW_MS = 40;

/** So many quick answers in a row do not come by chance: each could be given just before such a look. */
const ENOUGH = 4;

/**
 * Whether this browser looks at its queue only now and then: Firefox does every 100 ms (bug 1870699), which hides
 * every faster kernel. Measured on an idle queue, so before `settle` first waits for one; without an answer by then, it
 * is taken to. A slow answer to a page that was busy itself says nothing.
 */
export async function pollsSlowly(gpu: PolledDevice): Promise<boolean> {
  for (let quick = 0; quick < ENOUGH; ) {
    const start = performance.now();
    let last = start;
    let longestGap = 0;
    const tick = () => {
      const now = performance.now();
      longestGap = Math.max(longestGap, now - last);
      last = now;
    };
    const ticking = setInterval(tick, 4);
    try {
      await gpu.device.queue.onSubmittedWorkDone();
    } finally {
      clearInterval(ticking);
    }
    tick();
    if (gpu.settled) return true;
    if (last - start <= SLOW_MS) quick++;
    else if (longestGap < SLOW_MS / 2) return true;
  }
  return false;
}

/**
 * Waits for a promise of the queue (`mapAsync`, `onSubmittedWorkDone`). Where the browser polls slowly, empty submits
 * make it look again.
 */
export async function settle<T>(gpu: PolledDevice, promise: Promise<T>): Promise<T> {
  if (!gpu.pollsSlowly) return promise;
  gpu.settled = true;
  let pending = true;
  const done = promise.finally(() => {
    pending = false;
  });
  done.catch(() => {});
  while (pending) {
    await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 1))]);
    if (pending) gpu.device.queue.submit([]);
  }
  return done;
}
