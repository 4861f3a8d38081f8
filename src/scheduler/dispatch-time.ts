import { bufferUsage, createBuffer, guarded } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { settle } from '../device/settle.ts';
import { ClockStep } from './clock-step.ts';

const { COPY_DST, COPY_SRC, MAP_READ, QUERY_RESOLVE } = bufferUsage;

/** Where the GPU's clock writes, and what that is read back from. */
interface Queries {
  readonly set: GPUQuerySet;
  readonly resolved: GPUBuffer;
  readonly readback: GPUBuffer;
}

/** Times passes of a device: by the GPU's clock where it has one, else by the page's. */
export class DispatchClock {
  /** Passes that one submit can time; by the page's clock one. */
  readonly most: number;
  readonly #gpu: Gpu;
  /** Null by the page's clock. */
  readonly #queries: Queries | null;
  readonly #step = new ClockStep();

  private constructor(gpu: Gpu, queries: Queries | null, most: number) {
    this.#gpu = gpu;
    this.#queries = queries;
    this.most = most;
  }

  /** For up to `most` passes of a submit; a query set holds 2048 at most. Throws `OutOfMemoryError`, `DeviceError`. */
  static async create(gpu: Gpu, most = 1): Promise<DispatchClock> {
    const { device } = gpu;
    if (!device.features.has('timestamp-query')) return new DispatchClock(gpu, null, 1);
    const queries = await guarded(device, 'timestamps', (keep) => ({
      set: keep(device.createQuerySet({ type: 'timestamp', count: 2 * most })),
      resolved: keep(createBuffer(device, 'timestamps', 16 * most, QUERY_RESOLVE | COPY_SRC)),
      readback: keep(createBuffer(device, 'readback of timestamps', 16 * most, MAP_READ | COPY_DST)),
    }));
    return new DispatchClock(gpu, queries, most);
  }

  get method(): 'timestamp-query' | 'wall-clock' {
    return this.#queries ? 'timestamp-query' : 'wall-clock';
  }

  /** Milliseconds of the clock's step, as far as it is known. */
  get stepMs(): number {
    return this.#step.ms;
  }

  /**
   * Submits a pass for each of `encoders`, at most `most`; milliseconds of each, null where the clock gave nothing that
   * can be: a missing, zero or negative time, as where it was reset. Throws `DeviceLostError`.
   */
  async time(encoders: readonly ((pass: GPUComputePassEncoder) => void)[]): Promise<(number | null)[]> {
    const { device } = this.#gpu;
    const queries = this.#queries;
    const encoder = device.createCommandEncoder();
    encoders.forEach((encode, i) => {
      const timestampWrites = queries && {
        querySet: queries.set,
        beginningOfPassWriteIndex: 2 * i,
        endOfPassWriteIndex: 2 * i + 1,
      };
      const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
      encode(pass);
      pass.end();
    });
    const bytes = 16 * encoders.length;
    if (queries) {
      encoder.resolveQuerySet(queries.set, 0, 2 * encoders.length, queries.resolved, 0);
      encoder.copyBufferToBuffer(queries.resolved, 0, queries.readback, 0, bytes);
    }
    const commands = encoder.finish();
    const start = performance.now();
    device.queue.submit([commands]);
    if (!queries) {
      await settle(this.#gpu, device.queue.onSubmittedWorkDone());
      const end = performance.now();
      this.#gpu.check();
      for (const reading of [start, end]) this.#step.observe(1e6 * reading);
      return [possible(end - start)];
    }
    await settle(this.#gpu, queries.readback.mapAsync(1 /* GPUMapMode.READ */, 0, bytes));
    try {
      this.#gpu.check();
      const stamps = new BigUint64Array(queries.readback.getMappedRange(0, bytes).slice(0));
      for (const stamp of stamps) this.#step.observe(stamp);
      return encoders.map((_, i) => possible(Number(BigInt.asIntN(64, stamps[2 * i + 1]! - stamps[2 * i]!)) / 1e6));
    } finally {
      queries.readback.unmap();
    }
  }

  dispose(): void {
    if (!this.#queries) return;
    const { set, resolved, readback } = this.#queries;
    for (const object of [set, resolved, readback]) object.destroy();
  }
}

/** A time that can be, else null. */
export const possible = (ms: number): number | null => (Number.isFinite(ms) && ms > 0 ? ms : null);
