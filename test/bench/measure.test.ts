import { describe, expect, test } from 'vitest';
import type { Judgement } from '../../bench/compare.ts';
import { type EngineKey, engineKeys, label, selectEngines } from '../../bench/engines/keys.ts';
import { type Driver, measure } from '../../bench/measure.ts';
import type { BurstSample, FirstSample, WarmSample } from '../../bench/page/workbench.ts';
import { describe as report } from '../../bench/report.ts';

const right: Judgement = { maxAbsDiff: 1e-6, nmse: 1e-12, error: null };
const wrong: Judgement = { maxAbsDiff: 1, nmse: 1, error: 'output differs' };

const first: FirstSample = {
  version: '1.2.3',
  startMs: 1,
  loadMs: 10,
  firstMs: 30,
  inFlight: 1,
  downloadBytes: 5000,
  judgement: right,
};

const warm = (ms: number, judgement = right): WarmSample => ({
  ms,
  hostMs: ms / 10,
  dispatches: 54,
  submits: 1,
  objects: 0,
  gpuBytes: 1e6,
  judgement,
});

const burst = (frames: number, ms: number, judgement = right): BurstSample => ({ frames, ms, judgement });

const [ours, litert, tfjs] = engineKeys as readonly [EngineKey, EngineKey, EngineKey];

/** A driver that notes its calls; parts can be replaced. */
function driverWith(parts: Partial<Driver> = {}): Driver & { calls: string[] } {
  const calls: string[] = [];
  const noted =
    <T, A extends unknown[]>(
      name: string,
      otherwise: (...args: A) => Promise<T>,
      action?: (key: EngineKey, ...args: A) => Promise<T>,
    ) =>
    (key: EngineKey, ...args: A) => {
      calls.push([name, key.name, ...args].join(' '));
      return action ? action(key, ...args) : otherwise(...args);
    };
  return {
    calls,
    first: noted('first', async () => first, parts.first),
    open: noted('open', async () => first, parts.open),
    run: noted('run', async () => warm(20), parts.run),
    burst: noted('burst', async (frames: number, _inFlight: number) => burst(frames, 10 * frames), parts.burst),
    alive: parts.alive ?? (() => true),
  };
}

const options = (rounds: number | null = 3) => ({ rounds, signal: new AbortController().signal, log: () => {} });

describe('measuring', () => {
  test('engines take turns, and the order turns from round to round; the first round is not timed', async () => {
    const driver = driverWith();
    const rows = await measure(driver, [ours, litert], options(2));
    expect(driver.calls).toEqual([
      ...['first mobilenet-webgpu', 'first litert', 'open mobilenet-webgpu', 'open litert'],
      ...['run mobilenet-webgpu', 'run litert', 'run litert', 'run mobilenet-webgpu'],
      ...['run mobilenet-webgpu', 'run litert'],
      // A second of runs of 20 ms.
      ...['burst mobilenet-webgpu 50 1', 'burst litert 50 1', 'burst litert 50 1', 'burst mobilenet-webgpu 50 1'],
    ]);
    expect(rows[0]).toMatchObject({ ok: true, medianMs: 20, hostMs: 2, firstMs: 30, loadMs: 10, runs: 2 });
  });

  test('medians are of the timed runs', async () => {
    const times = [1000, 1, 2, 3, 4, 50];
    let i = 0;
    const driver = driverWith({ run: async () => warm(times[i++]!) });
    const [row] = await measure(driver, [ours], options(5));
    expect(row).toMatchObject({ medianMs: 3, minMs: 1, runs: 5 });
    expect(row!.p95Ms).toBeCloseTo(40.8);
  });

  test('frames a second are of the faster way, one after another or as many in flight as the engine takes', async () => {
    const ms: Record<string, number[]> = { 'mobilenet-webgpu 1': [400, 200, 300], 'mobilenet-webgpu 3': [30, 20, 10] };
    ms['litert 1'] = [100, 100, 100];
    ms['litert 3'] = [150, 150, 150];
    const driver = driverWith({
      first: async () => ({ ...first, inFlight: 3 }),
      run: async () => warm(400),
      burst: async ({ name }, frames, inFlight) => burst(frames, frames * ms[`${name} ${inFlight}`]!.shift()!),
    });
    const [a, b] = await measure(driver, [ours, litert], options(10));
    expect(a).toMatchObject({ framesPerSecond: 50, framesInFlight: 3 });
    expect(b).toMatchObject({ framesPerSecond: 10, framesInFlight: 1 });
    // Three at least, and twice as many as are in flight.
    expect(driver.calls.filter((call) => call.startsWith('burst litert'))).toEqual([
      ...['burst litert 3 1', 'burst litert 6 3', 'burst litert 3 1'],
      ...['burst litert 6 3', 'burst litert 3 1', 'burst litert 6 3'],
    ]);
  });

  test('a wrong output of any frame in flight is refused', async () => {
    let bursts = 0;
    const driver = driverWith({ burst: async (_key, frames) => burst(frames, 10, ++bursts === 2 ? wrong : right) });
    const [row] = await measure(driver, [ours], options());
    expect(row).toMatchObject({ ok: false, error: 'output differs', maxAbsDiff: 1 });
    expect(bursts).toBe(2);
  });

  test('without a number of rounds there are seven at least, and an end', async () => {
    const driver = driverWith();
    const [row] = await measure(driver, [ours], options(null));
    expect(row!.runs).toBeGreaterThanOrEqual(7);
    expect(row!.runs).toBeLessThan(100);
  });

  test('an engine that fails is left out, with its own words', async () => {
    const driver = driverWith({
      first: async (key) => {
        if (key === litert) throw new Error('no such operation');
        return first;
      },
    });
    const [a, b] = await measure(driver, [ours, litert], options());
    expect(a).toMatchObject({ ok: true, runs: 3 });
    expect(b).toMatchObject({ ok: false, error: 'no such operation', medianMs: null, firstMs: null, runs: 0 });
    expect(driver.calls).not.toContain('open litert');
  });

  test('a wrong output is refused before its time is believed', async () => {
    const driver = driverWith({ first: async (key) => (key === tfjs ? { ...first, judgement: wrong } : first) });
    const [, b] = await measure(driver, [ours, tfjs], options());
    expect(b).toMatchObject({ ok: false, error: 'output differs', medianMs: null, maxAbsDiff: 1 });
  });

  test('an output that is wrong in a later run is refused too', async () => {
    let runs = 0;
    const driver = driverWith({ run: async () => warm(5, ++runs === 3 ? wrong : right) });
    const [row] = await measure(driver, [ours], options(10));
    expect(row).toMatchObject({ ok: false, error: 'output differs', maxAbsDiff: 1 });
    expect(runs).toBe(3);
  });

  test('after a browser that ended, the others are opened again and go on', async () => {
    let crashed = false;
    let alive = true;
    const driver = driverWith({
      open: async () => {
        alive = true;
        return first;
      },
      run: async (key) => {
        if (key === litert && !crashed) {
          crashed = true;
          alive = false;
          throw new Error('the browser ended');
        }
        if (!alive) throw new Error('not open');
        return warm(20);
      },
      alive: () => alive,
    });
    const [a, b] = await measure(driver, [ours, litert], options());
    expect(a).toMatchObject({ ok: true });
    expect(b).toMatchObject({ ok: false, error: 'the browser ended' });
    expect(driver.calls.filter((call) => call === 'open mobilenet-webgpu')).toHaveLength(2);
  });

  test('ends at once when it is aborted', async () => {
    const stopping = new AbortController();
    const driver = driverWith({
      run: async () => {
        stopping.abort(new Error('interrupted'));
        throw new Error('the page was closed');
      },
    });
    const running = measure(driver, [ours, litert], { rounds: 3, signal: stopping.signal, log: () => {} });
    await expect(running).rejects.toThrow('interrupted');
    expect(driver.calls.filter((call) => call.startsWith('run'))).toHaveLength(1);
  });
});

describe('the list of engines', () => {
  test('a name stands for all its devices', () => {
    expect(selectEngines('tfjs, mobilenet-webgpu').map(label)).toEqual([
      'mobilenet-webgpu (webgpu)',
      'tfjs (webgpu)',
      'tfjs (wasm)',
    ]);
    expect(selectEngines('litert/wasm').map(label)).toEqual(['litert (wasm)']);
  });

  test('what is none is named, with those that there are', () => {
    expect(() => selectEngines('tfjs,torch')).toThrow(/no engine "torch".*onnxruntime-web\/wasm/);
  });
});

test('the report has ratios to this engine, and says what failed', async () => {
  const driver = driverWith({
    run: async (key) => warm(key === litert ? 60 : 20),
    first: async (key) => {
      if (key === tfjs) throw new Error('lost its device');
      return first;
    },
  });
  const engines = await measure(driver, [ours, litert, tfjs], options());
  const text = report({
    browser: 'Browser/1',
    adapter: { vendor: '', architecture: '', description: '', software: true, features: [] },
    model: 'v2-1.0-224',
    plan: 'default',
    precision: 'auto',
    threads: 2,
    coldCaches: true,
    engines,
  });
  expect(text).toContain('v2-1.0-224, default plan, Browser/1 on an adapter that does not name itself');
  expect(text).toMatch(/litert 1\.2\.3\s+webgpu\s+ok\s+60\.0\s+3\.00 ×/);
  expect(text).toContain('tfjs (webgpu): lost its device');
  expect(text).not.toContain('All outputs');
});
