import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type PolledDevice, pollsSlowly, settle } from '../../src/device/settle.ts';

let now = 0;
let ticks: (() => void)[] = [];

/** So many milliseconds in which timers run every four. */
function pass(ms: number): void {
  for (let i = 0; i < ms / 4; i++) {
    now += 4;
    for (const tick of ticks) tick();
  }
}

/** A queue whose answers come after what each of these does; the last answers from then on. */
function gpuWith(...answers: readonly (() => void)[]) {
  let asked = 0;
  const queue = {
    onSubmittedWorkDone: async () => answers[Math.min(asked++, answers.length - 1)]!(),
    submit: vi.fn(),
  };
  const gpu = { device: { queue: queue as never as GPUQueue }, pollsSlowly: true, settled: false };
  return { gpu: gpu satisfies PolledDevice, queue, asked: () => asked };
}

const quick = () => pass(4);
const slow = () => pass(100);
const busy = () => {
  now += 100;
};

describe('whether a browser polls slowly', () => {
  beforeEach(() => {
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    vi.stubGlobal('setInterval', (tick: () => void) => ticks.push(tick));
    vi.stubGlobal('clearInterval', () => {
      ticks = [];
    });
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  it.each([
    ['not with four quick answers', [quick], false, 4],
    ['with a slow one', [slow], true, 1],
    ['with a slow one after quick ones, which came by chance', [quick, quick, quick, slow], true, 4],
    ['not where the page was busy while it waited', [busy, busy, busy, busy, busy, quick], false, 9],
    ['with a slow answer after the page was busy', [busy, busy, busy, busy, busy, slow], true, 6],
  ] as const)('%s', async (_, answers, expected, waits) => {
    const { gpu, asked } = gpuWith(...answers);
    expect(await pollsSlowly(gpu)).toBe(expected);
    expect(asked()).toBe(waits);
  });

  it('for all that is known, once something else waited: its submits bring quick answers', async () => {
    const { gpu, asked } = gpuWith(quick, () => {
      gpu.settled = true;
      quick();
    });
    expect(await pollsSlowly(gpu)).toBe(true);
    expect(asked()).toBe(2);
  });

  it('leaves no clock running where the queue gives an error', async () => {
    const { gpu } = gpuWith(quick, () => {
      throw new Error('lost');
    });
    await expect(pollsSlowly(gpu)).rejects.toThrow('lost');
    expect(ticks).toEqual([]);
  });
});

describe('waiting for the queue', () => {
  const later = () => new Promise<string>((resolve) => setTimeout(() => resolve('done'), 30));

  it('makes a browser look that polls slowly, with empty submits', async () => {
    const { gpu, queue } = gpuWith(quick);
    expect(await settle(gpu, later())).toBe('done');
    expect(gpu.settled).toBe(true);
    expect(queue.submit.mock.calls.length).toBeGreaterThan(0);
    expect(queue.submit.mock.calls.flat(2)).toEqual([]);
  });

  it('leaves others alone', async () => {
    const { gpu, queue } = gpuWith(quick);
    gpu.pollsSlowly = false;
    expect(await settle(gpu, later())).toBe('done');
    expect(queue.submit).not.toHaveBeenCalled();
  });

  it('gives the error of what it waits for', async () => {
    const { gpu } = gpuWith(quick);
    await expect(settle(gpu, Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  });
});
