import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nudgeWaits } from '../../bench/nudge.ts';

/** Done when it has been looked at so often. */
let looksNeeded = 0;
let looks = 0;
let waiting: (() => void)[] = [];

const whenLookedAt = () =>
  new Promise<undefined>((resolve) => {
    waiting.push(() => resolve(undefined));
  });

class FakeQueue {
  submit(_buffers: readonly unknown[]): void {
    looks++;
    if (looks < looksNeeded) return;
    for (const done of waiting) done();
    waiting = [];
  }
  onSubmittedWorkDone(): Promise<undefined> {
    return whenLookedAt();
  }
}

class FakeBuffer {
  destroy(): void {}
  mapAsync(): Promise<undefined> {
    return whenLookedAt();
  }
}

beforeEach(() => {
  looks = 0;
  waiting = [];
  vi.stubGlobal('GPUQueue', class extends FakeQueue {});
  Object.defineProperties(GPUQueue.prototype, Object.getOwnPropertyDescriptors(FakeQueue.prototype));
  vi.stubGlobal('GPUBuffer', class extends FakeBuffer {});
  Object.defineProperties(GPUBuffer.prototype, Object.getOwnPropertyDescriptors(FakeBuffer.prototype));
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const realm = () => ({
  queue: new (GPUQueue as unknown as typeof FakeQueue)(),
  buffer: new (GPUBuffer as unknown as typeof FakeBuffer)(),
});

test.each(['mapAsync', 'onSubmittedWorkDone'] as const)('a wait is nudged while it is on: %s', async (method) => {
  const nudging = nudgeWaits();
  const { queue, buffer } = realm();
  nudging.on = true;
  looksNeeded = 4;
  queue.submit(['work']);
  await (method === 'mapAsync' ? buffer.mapAsync() : queue.onSubmittedWorkDone());
  expect(looks).toBe(4);
  // Nobody waits any longer.
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(looks).toBe(4);
});

test('without it nothing is submitted but what an engine submits', async () => {
  const nudging = nudgeWaits();
  const { queue, buffer } = realm();
  looksNeeded = 2;
  queue.submit(['work']);
  let done = false;
  const wait = buffer.mapAsync().then(() => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(nudging.on).toBe(false);
  expect([looks, done]).toEqual([1, false]);
  queue.submit(['more work']);
  await wait;
  expect(looks).toBe(2);
});

test('a wait that fails, fails', async () => {
  GPUBuffer.prototype.mapAsync = () => Promise.reject(new Error('lost'));
  const nudging = nudgeWaits();
  nudging.on = true;
  const { queue, buffer } = realm();
  queue.submit(['work']);
  await expect(buffer.mapAsync()).rejects.toThrow('lost');
});

test('a browser without WebGPU is left alone', () => {
  vi.stubGlobal('GPUQueue', undefined);
  expect(nudgeWaits()).toEqual({ on: false });
});
