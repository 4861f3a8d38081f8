import type { Gpu } from './gpu.ts';

/** An idle queue that takes longer than this to say that it is done is looked at by a slow timer. */
const SLOW_MS = 40;

/**
 * Whether this browser looks at its queue only now and then: Firefox does every 100 ms (bug 1870699), which hides
 * every faster kernel. Measured on an idle queue, more than once, as the first wait may end just before such a look; a
 * wait in which the page itself was busy says nothing.
 */
export async function pollsSlowly(device: GPUDevice): Promise<boolean> {
  for (let attempt = 0; attempt < 4; attempt++) {
    const start = performance.now();
    let last = start;
    let longestGap = 0;
    const tick = () => {
      const now = performance.now();
      longestGap = Math.max(longestGap, now - last);
      last = now;
    };
    const ticking = setInterval(tick, 4);
    await device.queue.onSubmittedWorkDone();
    clearInterval(ticking);
    tick();
    if (last - start > SLOW_MS && longestGap < SLOW_MS / 2) return true;
  }
  return false;
}

/**
 * Waits for a promise of the queue (`mapAsync`, `onSubmittedWorkDone`). Where the browser polls slowly, empty submits
 * make it look again.
 */
export async function settle<T>(gpu: Gpu, promise: Promise<T>): Promise<T> {
  if (!gpu.pollsSlowly) return promise;
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
