/** What becomes of a load whose self-check cannot be fetched: on a GPU that computes nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { FetchError, load } from '../../src/index.ts';
import { pointwise } from '../scheduler/one-layer.ts';
import { FakeGpu } from '../support/fake-gpu.ts';

vi.mock('../../src/tuning/self-check.ts', () => {
  throw new TypeError('Failed to fetch dynamically imported module');
});

it('ends in a typed error, at once, and leaves nothing on the device', async () => {
  const fake = new FakeGpu();
  let compile = () => {};
  fake.compiling = new Promise((resolve) => {
    compile = resolve;
  });
  const loading = load(pointwise(4, 16), { gpuDevice: fake.device, device: 'webgpu', tuning: 'off' });
  const failure = await Promise.race([loading.catch((error: unknown) => error), pause(2000, 'waits for the compiler')]);
  expect(failure).toBeInstanceOf(FetchError);
  expect(String(failure)).toMatch(
    /self-check: its code could not be fetched \(.*; load again, or with selfCheck: 'off'/s,
  );
  compile();
  await pause(30);
  expect([fake.held, fake.submits, fake.misused]).toEqual([[], 0, []]);
});
