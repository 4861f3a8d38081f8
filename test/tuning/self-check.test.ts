/** What becomes of a self-check, or of what it checks, where the other fails: on a GPU that computes nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { OutOfMemoryError } from '../../src/errors.ts';
import { type LoadOptions, load } from '../../src/index.ts';
import { pointwise } from '../scheduler/one-layer.ts';
import { FakeGpu } from '../support/fake-gpu.ts';

/** Loads on a caller's device, whose compiler waits until it is let go. */
function loading(fake: FakeGpu, options: LoadOptions = {}) {
  let compile = () => {};
  fake.compiling = new Promise((resolve) => {
    compile = resolve;
  });
  const work = load(pointwise(4, 16), {
    ...{ gpuDevice: fake.device, device: 'webgpu', tuning: 'off', selfCheck: 'always' },
    ...options,
  });
  const failure = work.then(
    () => null,
    (error: unknown) => error,
  );
  return { failure, compile };
}

const buffersOfWeights = ({ resources }: FakeGpu) => resources.filter(({ label }) => label === 'constants').length;

/** What is held, and whether anything was made or submitted, a while later. */
async function quiet(fake: FakeGpu) {
  const before = [fake.resources.length, fake.submits];
  const { held } = fake;
  await pause(30);
  expect([fake.resources.length, fake.submits, fake.misused]).toEqual([...before, []]);
  return [...held, ...fake.held];
}

it('an aborted load leaves no check behind', async () => {
  const fake = new FakeGpu();
  const stop = new AbortController();
  const { failure, compile } = loading(fake, { signal: stop.signal });
  await vi.waitFor(() => expect(buffersOfWeights(fake)).toBe(2));
  stop.abort(new Error('enough'));
  expect(await Promise.race([failure, pause(500, 'waits for the compiler')])).toBe(stop.signal.reason);
  expect(await quiet(fake)).toEqual([]);
  compile();
  expect(await quiet(fake)).toEqual([]);
});

it.each([
  ['the network', 1],
  ['the check', 2],
])('where there is no memory for %s, the other ends too, before anything is compiled', async (_what, nth) => {
  const fake = new FakeGpu();
  fake.lacks = (label) => label === 'constants' && buffersOfWeights(fake) === nth - 1;
  const { failure, compile } = loading(fake);
  expect(await Promise.race([failure, pause(500, 'waits for the compiler')])).toBeInstanceOf(OutOfMemoryError);
  expect(await quiet(fake)).toEqual([]);
  compile();
  expect(await quiet(fake)).toEqual([]);
});
