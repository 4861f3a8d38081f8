import { describe, expect, it } from 'vitest';
import { DeviceLostError, ShaderError } from '../../src/errors.ts';
import { seededUniform } from '../../src/graph/random.ts';
import { ClockStep } from '../../src/scheduler/clock-step.ts';
import { findPace, LONGEST_MS, MOST_REPEATS, STEPS } from '../../src/scheduler/pace.ts';
import { type Contender, race } from '../../src/tuning/race.ts';

/** A GPU whose clock has a step, and whose times vary by a normal distribution. */
class SimulatedGpu {
  readonly #uniform: () => number;
  readonly #stepNs: number;
  readonly step = new ClockStep();
  readonly lasted: number[] = [];
  #nowNs = 1e9;

  constructor(seed: number, stepMs: number) {
    this.#uniform = seededUniform(seed);
    this.#stepNs = Math.round(1e6 * stepMs);
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#uniform())) * Math.cos(2 * Math.PI * this.#uniform());
  }

  contender(ms: number, sigma = 0.05): Contender {
    return {
      close: () => {},
      measure: async (repeats) => {
        // What lies between two submits is anything.
        this.#nowNs += 1e6 * 3 * this.#uniform();
        const from = this.#read();
        const lasts = ms * repeats * (1 + sigma * this.#normal());
        this.lasted.push(lasts);
        this.#nowNs += 1e6 * lasts;
        const elapsed = (this.#read() - from) / 1e6;
        return elapsed > 0 ? elapsed : null;
      },
    };
  }

  #read(): number {
    const stamp = Math.floor(this.#nowNs / this.#stepNs) * this.#stepNs;
    this.step.observe(stamp);
    return stamp;
  }
}

const names = Array.from({ length: 8 }, (_, i) => `kernel ${i}`);

async function simulate(seed: number, times: readonly number[], stepMs = 0.1) {
  const gpu = new SimulatedGpu(seed, stepMs);
  const result = await race({
    usual: names[0]!,
    others: names.slice(1),
    open: async (kernel) => gpu.contender(times[names.indexOf(kernel)]!),
    stepMs: () => gpu.step.ms,
    more: () => true,
  });
  return { ...result, gpu };
}

const ROUNDS = 100;

describe.each([0.005, 0.05, 2])('by a clock of 100 µs, of eight kernels of %s ms', (ms) => {
  it('keeps the usual one where all are equal', async () => {
    let kept = 0;
    for (let seed = 0; seed < ROUNDS; seed++) {
      const { chosen } = await simulate(seed, new Array(8).fill(ms));
      if (chosen === names[0]) kept++;
    }
    // 24 of 25.
    expect(kept).toBeGreaterThanOrEqual(0.96 * ROUNDS);
  });

  it('finds the one that takes a fifth less', async () => {
    let found = 0;
    for (let seed = 0; seed < ROUNDS; seed++) {
      const fast = 1 + (seed % 7);
      const times = names.map((_, i) => (i === fast ? 0.8 * ms : ms));
      if ((await simulate(seed, times)).chosen === names[fast]) found++;
    }
    expect(found).toBeGreaterThanOrEqual(0.96 * ROUNDS);
  });

  it('measures for at least twenty steps, and for no longer than others may wait', async () => {
    for (let seed = 0; seed < 25; seed++) {
      const gpu = new SimulatedGpu(seed, 0.1);
      const { measure } = gpu.contender(ms);
      const pace = (await findPace(measure, () => gpu.step.ms))!;
      expect(pace.repeats * ms).toBeGreaterThanOrEqual(0.8 * STEPS * 0.1);
      expect(Math.abs(pace.ms / ms - 1)).toBeLessThan(0.3);
      expect(Math.max(...gpu.lasted)).toBeLessThan(LONGEST_MS);
    }
  });
});

it('without a step that its repeats can reach, keeps the usual kernel', async () => {
  const { chosen, gpu } = await simulate(1, [1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 1000);
  expect(chosen).toBe(names[0]);
  expect(Math.max(...gpu.lasted)).toBeLessThanOrEqual(MOST_REPEATS * 1.3);
});

describe('the step of a clock', () => {
  const stepOf = (readings: readonly (number | bigint)[]) => {
    const step = new ClockStep();
    for (const reading of readings) step.observe(reading);
    return step.ms;
  };
  const multiples = (ns: number) => [3, 4, 9, 11, 18, 20, 31, 47, 61].map((n) => BigInt(n * ns));

  it.each([
    ['100 µs', 100_000],
    ['2^16 ns', 65_536],
    ['1 ms', 1_000_000],
    ['80 ns', 80],
  ])('is %s', (_name, ns) => {
    expect(stepOf(multiples(ns))).toBeCloseTo(ns / 1e6, 9);
  });

  it('is read from numbers larger than doubles hold', () => {
    expect(stepOf(multiples(100_000).map((ns) => 2n ** 62n + ns))).toBeCloseTo(0.1, 9);
  });

  it('is supposed to be 100 µs until it is seen', () => {
    expect(stepOf([])).toBe(0.1);
    expect(stepOf([1, 2, 3])).toBe(0.1);
    expect(stepOf(new Array(20).fill(5))).toBe(0.1);
  });
});

describe('the race', () => {
  const steady = (ms: number, closed: string[] = [], name = ''): Contender => ({
    measure: async (repeats) => repeats * ms,
    close: () => closed.push(name),
  });
  const base = { usual: 'a', others: ['b', 'c'], stepMs: () => 0.001, more: () => true };

  it('goes on after a kernel that cannot be used, and says why', async () => {
    const closed: string[] = [];
    const { chosen, tried, complete } = await race({
      ...base,
      open: async (kernel) => {
        if (kernel === 'b') throw new ShaderError('refused');
        return steady(kernel === 'c' ? 1 : 3, closed, kernel);
      },
    });
    expect({ chosen, complete }).toEqual({ chosen: 'c', complete: true });
    expect(tried).toEqual([
      { kernel: 'a', ms: 3 },
      { kernel: 'b', ms: null, reason: 'refused' },
      { kernel: 'c', ms: 1 },
    ]);
    expect(closed.sort()).toEqual(['a', 'c']);
  });

  it('leaves a usual kernel that cannot be used', async () => {
    const { chosen } = await race({
      ...base,
      open: async (kernel) => {
        if (kernel === 'a') throw new Error('its output leaves the bound');
        return steady(5);
      },
    });
    expect(chosen).toBe('b');
  });

  it('ends with the device, and when told, with nothing left open', async () => {
    const closed: string[] = [];
    const lost = race({
      ...base,
      open: async (kernel) => {
        if (kernel === 'b') throw new DeviceLostError('gone');
        return steady(1, closed, kernel);
      },
    });
    await expect(lost).rejects.toThrow('gone');
    expect(closed).toEqual(['a']);
    for (const when of [1, 2, 5, 9]) {
      closed.length = 0;
      const controller = new AbortController();
      let measured = 0;
      let opened = 0;
      const told = race({
        ...base,
        signal: controller.signal,
        open: async (kernel) => {
          opened++;
          const { close } = steady(1, closed, kernel);
          const measure = async (repeats: number) => {
            if (++measured === when) controller.abort(new Error('enough'));
            return repeats;
          };
          return { close, measure };
        },
      });
      await expect(told).rejects.toThrow('enough');
      expect(closed).toHaveLength(opened);
    }
  });

  it('keeps what it learned when the time is over', async () => {
    let left = 2;
    const { chosen, tried, complete } = await race({
      ...base,
      more: () => left-- > 0,
      open: async (kernel) => steady(kernel === 'b' ? 1 : 3),
    });
    expect({ chosen, complete, tried: tried.map(({ kernel }) => kernel) }).toEqual({
      chosen: 'b',
      complete: false,
      tried: ['a', 'b'],
    });
  });

  it('keeps the usual kernel where the clock gives no time', async () => {
    const { chosen, tried } = await race({
      ...base,
      open: async () => ({ measure: async () => null, close: () => {} }),
    });
    expect(chosen).toBe('a');
    expect(tried.every(({ ms, reason }) => ms === null && reason === 'the clock gave no time')).toBe(true);
  });
});
