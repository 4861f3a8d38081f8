import { expect, it } from 'vitest';
import type { Executor } from '../../src/scheduler/executor.ts';
import { profile } from '../../src/scheduler/profile.ts';

const STEP_NS = 100_000;

/** An executor whose dispatches take what is given, in milliseconds, on a GPU whose timestamps are rounded down to 100 µs. */
function timedExecutor(times: readonly number[]) {
  let nowNs = 7.3e9;
  let longest = 0;
  const stamp = () => BigInt(Math.floor(nowNs / STEP_NS) * STEP_NS);
  const stamps: bigint[] = [];
  const device = {
    features: new Set(['timestamp-query']),
    pushErrorScope() {},
    popErrorScope: async () => null,
    createQuerySet: () => ({ destroy() {} }),
    createBuffer: ({ size }: { size: number }) => ({
      destroy() {},
      unmap() {},
      mapAsync: async () => {},
      getMappedRange: () => BigUint64Array.from({ length: size / 8 }, (_, i) => stamps[i] ?? 0n).buffer,
    }),
    createCommandEncoder: () => ({
      beginComputePass({ timestampWrites }: GPUComputePassDescriptor) {
        const { beginningOfPassWriteIndex: begin, endOfPassWriteIndex: end } = timestampWrites!;
        stamps[begin!] = stamp();
        return {
          end: () => {
            stamps[end!] = stamp();
            nowNs += 1234.5;
          },
        };
      },
      resolveQuerySet() {},
      copyBufferToBuffer() {},
      finish() {},
    }),
    queue: {
      submit() {
        nowNs += 333_333.3;
      },
    },
  };
  const executor = {
    gpu: { device, pollsSlowly: false, check() {} },
    plan: {
      inputs: ['x'],
      tensors: { x: { shape: [1, 1, 1, 1] }, y: { shape: [1, 1, 1, 1] } },
      dispatches: times.map((_, i) => ({ node: `node ${i}`, kernel: 'kernel', writes: ['y'] })),
    },
    exclusive: async <T>(work: () => Promise<T>) => {
      const before = nowNs;
      const result = await work();
      longest = Math.max(longest, (nowNs - before) / 1e6);
      return result;
    },
    upload() {},
    resources: {
      encode(_pass: unknown, from: number) {
        nowNs += 1e6 * times[from]!;
      },
    },
  };
  return { executor: executor as unknown as Executor, longest: () => longest };
}

it('times dispatches that take less than a step of the clock, in submits of which none keeps others waiting', async () => {
  const times = [0.005, 0.05, 2, 0.012, 30, 0.1];
  const { executor, longest } = timedExecutor(times);
  const { method, layers } = await profile(executor, new Float32Array(1));
  expect(method).toBe('timestamp-query');
  // Twenty steps: each end is off by less than one of them.
  for (const [i, { ms }] of layers.entries()) expect(Math.abs(ms / times[i]! - 1), `dispatch ${i}`).toBeLessThan(0.1);
  // The whole network once; then twenty milliseconds, or a dispatch that takes longer with what was expected before it.
  expect(longest()).toBeLessThan(51);
});
