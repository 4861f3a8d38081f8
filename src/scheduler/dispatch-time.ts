import { settle } from '../device/settle.ts';
import type { Executor } from './executor.ts';

/**
 * Milliseconds of one dispatch, from `repeats` of them in one pass: by the GPU's clock where it has one, else by the
 * page's. Null where the clock gave nothing that can be: a missing, zero or negative time.
 */
export async function dispatchTime(executor: Executor, repeats: number): Promise<number | null> {
  const { gpu } = executor;
  const { device } = gpu;
  const encoder = device.createCommandEncoder();
  const clock = device.features.has('timestamp-query') ? openClock(device) : null;
  const pass = encoder.beginComputePass(
    clock
      ? { timestampWrites: { querySet: clock.querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } }
      : {},
  );
  for (let i = 0; i < repeats; i++) executor.encode(pass, 0, 1);
  pass.end();
  if (clock) {
    encoder.resolveQuerySet(clock.querySet, 0, 2, clock.resolved, 0);
    encoder.copyBufferToBuffer(clock.resolved, 0, clock.readback, 0, 16);
  }
  const commands = encoder.finish();
  const start = performance.now();
  device.queue.submit([commands]);
  let elapsed: number;
  if (clock) {
    await settle(gpu, clock.readback.mapAsync(1 /* GPUMapMode.READ */));
    const [from, to] = new BigUint64Array(clock.readback.getMappedRange());
    elapsed = Number(to! - from!) / 1e6;
    for (const object of [clock.querySet, clock.resolved, clock.readback]) object.destroy();
  } else {
    await settle(gpu, device.queue.onSubmittedWorkDone());
    elapsed = performance.now() - start;
  }
  gpu.check();
  return plausible(elapsed) ? elapsed / repeats : null;
}

/** A time that can be. */
export const plausible = (ms: number): boolean => Number.isFinite(ms) && ms > 0;

function openClock(device: GPUDevice) {
  return {
    querySet: device.createQuerySet({ type: 'timestamp', count: 2 }),
    resolved: device.createBuffer({ size: 16, usage: 0x0200 /* QUERY_RESOLVE */ | 0x0004 /* COPY_SRC */ }),
    readback: device.createBuffer({ size: 16, usage: 0x0001 /* MAP_READ */ | 0x0008 /* COPY_DST */ }),
  };
}
