import { describe, expect, test } from 'vitest';
import type { Judgement } from '../../bench/compare.ts';
import {
  type EngineKey,
  engineKeys,
  halfKeys,
  label,
  type Setup,
  selectEngines,
  settingsOf,
} from '../../bench/engines/keys.ts';
import { type Driver, type MeasureOptions, measure } from '../../bench/measure.ts';
import type { BurstSample, FirstSample, OpenedSample, WarmSample } from '../../bench/page/workbench.ts';
import { describe as report } from '../../bench/report.ts';
import { type Row, rivalry } from '../../bench/results.ts';

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
  emptySubmits: 0,
  objects: 0,
  gpuBytes: 1e6,
  judgement,
});

const burst = (frames: number, ms: number, judgement = right): BurstSample => ({ frames, ms, judgement });

const opened: OpenedSample = { ...first, tuningMs: null };

const keyOf = (name: string, device = 'webgpu'): EngineKey =>
  engineKeys.find((key) => key.name === name && key.device === device)!;
const [ours, litert, tfjs] = [keyOf('mobilenet-webgpu'), keyOf('litert'), keyOf('tfjs')];
/** Engines of one setting. */
const [wasm, ortWasm] = [keyOf('litert', 'wasm'), keyOf('onnxruntime-web', 'wasm')];

interface Parts {
  readonly slow?: boolean;
  readonly firstRuns?: number;
  readonly first?: (setup: Setup, nudged: boolean) => FirstSample;
  readonly open?: (setup: Setup) => OpenedSample;
  readonly run?: (setup: Setup, nudged: boolean) => WarmSample;
  readonly burst?: (setup: Setup, frames: number, inFlight: number, nudged: boolean) => BurstSample;
  readonly alive?: () => boolean;
}

/** A driver that notes its calls; parts can be replaced. */
function driverWith(parts: Parts = {}): Driver & { calls: string[] } {
  const calls: string[] = [];
  const note = (what: string, { name, device, tuned }: Setup, ...more: unknown[]) =>
    calls.push([what, device === 'wasm' ? `${name}/wasm` : name, ...(tuned ? ['tuned'] : []), ...more].join(' '));
  return {
    calls,
    firstRuns: parts.firstRuns ?? 1,
    pollsSlowly: async () => parts.slow ?? false,
    async first(setup, nudged) {
      note('first', setup, ...(nudged ? ['nudged'] : []));
      return parts.first?.(setup, nudged) ?? first;
    },
    async open(setup) {
      note('open', setup);
      return parts.open?.(setup) ?? opened;
    },
    async close(setup) {
      note('close', setup);
    },
    async run(setup, nudged) {
      note('run', setup, ...(nudged ? ['nudged'] : []));
      return parts.run?.(setup, nudged) ?? warm(20);
    },
    async burst(setup, frames, inFlight, nudged) {
      note('burst', setup, frames, inFlight);
      return parts.burst?.(setup, frames, inFlight, nudged) ?? burst(frames, 10 * frames);
    },
    alive: parts.alive ?? (() => true),
  };
}

const options = (rounds: number | null = 3, precision: MeasureOptions['precision'] = 'auto'): MeasureOptions => ({
  rounds,
  precision,
  signal: new AbortController().signal,
  log: () => {},
});

describe('measuring', () => {
  test('rows take turns, and the order turns from round to round; the first round is not timed', async () => {
    const driver = driverWith();
    const rows = await measure(driver, [wasm, ortWasm], options(2));
    expect(driver.calls).toEqual([
      ...['first litert/wasm', 'first onnxruntime-web/wasm', 'open litert/wasm', 'open onnxruntime-web/wasm'],
      ...['run litert/wasm', 'run onnxruntime-web/wasm', 'run onnxruntime-web/wasm', 'run litert/wasm'],
      ...['run litert/wasm', 'run onnxruntime-web/wasm'],
      // A second of runs of 20 ms.
      ...['burst litert/wasm 50 1', 'burst onnxruntime-web/wasm 50 1'],
      ...['burst onnxruntime-web/wasm 50 1', 'burst litert/wasm 50 1'],
    ]);
    expect(rows[0]).toMatchObject({ ok: true, medianMs: 20, hostMs: 2, firstMs: 30, loadMs: 10, runs: 2 });
  });

  test('medians are of the timed runs', async () => {
    const times = [1000, 1, 2, 3, 4, 50];
    let i = 0;
    const [row] = await measure(driverWith({ run: () => warm(times[i++]!) }), [wasm], options(5));
    expect(row).toMatchObject({ medianMs: 3, minMs: 1, runs: 5 });
    expect(row!.p95Ms).toBeCloseTo(40.8);
  });

  test('a first result is the median of three, each from a fresh browser', async () => {
    const times = [50, 20, 90];
    const driver = driverWith({ firstRuns: 3, first: () => ({ ...first, firstMs: times.shift()! }) });
    const [row] = await measure(driver, [wasm], options());
    expect(row).toMatchObject({ firstMs: 50, firstRuns: [50, 20, 90] });
    expect(driver.calls.filter((call) => call.startsWith('first'))).toHaveLength(3);
  });

  test('this engine is measured tuned and as shipped, in two frames with first results in common', async () => {
    const driver = driverWith({
      firstRuns: 3,
      open: ({ tuned }) => ({ ...opened, tuningMs: tuned ? 1500 : 80 }),
      run: ({ tuned }) => warm(tuned ? 10 : 15),
    });
    const [tuned, shipped] = await measure(driver, [ours], options());
    expect(tuned).toMatchObject({ tuned: true, tuningMs: 1500, medianMs: 10, firstMs: 30 });
    expect(shipped).toMatchObject({ tuned: false, tuningMs: 80, medianMs: 15, firstMs: 30 });
    expect(driver.calls.filter((call) => call.startsWith('first'))).toHaveLength(3);
  });

  test('where a browser looks at its queue slowly, peers on the GPU are measured nudged, too', async () => {
    const driver = driverWith({
      slow: true,
      first: (_setup, nudged) => ({ ...first, firstMs: nudged ? 100 : 200 }),
      run: ({ name }, nudged) => ({ ...warm(nudged ? 50 : 100), emptySubmits: nudged || name === ours.name ? 9 : 0 }),
    });
    const rows = await measure(driver, [ours, litert, wasm], options());
    const brief = rows.map(({ name, device, nudged, medianMs, firstMs }) => [name, device, nudged, medianMs, firstMs]);
    expect(brief).toEqual([
      // It nudges by itself.
      ['mobilenet-webgpu', 'webgpu', true, 100, 200],
      ['mobilenet-webgpu', 'webgpu', true, 100, 200],
      ['litert', 'webgpu', true, 50, 100],
      ['litert', 'webgpu', false, 100, 200],
      ['litert', 'wasm', false, 100, 200],
    ]);
    const quick = driverWith();
    expect((await measure(quick, [litert], options())).map(({ nudged }) => nudged)).toEqual([false]);
  });

  test('a peer counts at its fastest setting, for first results and for warm runs', async () => {
    const [soonest, fastest, ...others] = settingsOf(tfjs) as [string, string];
    const driver = driverWith({
      firstRuns: 3,
      first: ({ setting }) => ({ ...first, firstMs: setting === soonest ? 20 : 40 }),
      run: ({ setting }) => warm(setting === fastest ? 5 : 10),
    });
    const [row] = await measure(driver, [tfjs], options(4));
    expect(row).toMatchObject({ firstSetting: soonest, setting: fastest, firstMs: 20, medianMs: 5, runs: 4 });
    expect(row!.tried).toMatchObject({
      [soonest]: { firstMs: 20, medianMs: 10 },
      [fastest]: { firstMs: 40, medianMs: 5 },
    });
    // One of each setting, and two more of the soonest.
    expect(driver.calls.filter((call) => call.startsWith('first'))).toHaveLength(2 + others.length + 2);
    // The frames of a trial go.
    expect(driver.calls.filter((call) => call.startsWith('close'))).toHaveLength(2 + others.length);
  });

  test('a setting that does not run, or that is wrong, is left out and named', async () => {
    const [lacking, ...rest] = settingsOf(litert) as [string, string];
    const driver = driverWith({
      first: ({ setting }) => {
        if (setting === lacking) throw new Error('this browser has no JSPI');
        return setting === rest[0] ? { ...first, judgement: wrong } : first;
      },
    });
    const [row] = await measure(driver, [litert], options());
    expect(row).toMatchObject({
      ok: true,
      note: `not ${lacking}: this browser has no JSPI; not ${rest[0]}: output differs`,
    });
  });

  test('an engine of which no setting runs has failed, with the words of the first', async () => {
    const driver = driverWith({
      first: ({ setting }) => {
        throw new Error(`no such operation (${setting})`);
      },
    });
    const rows = await measure(driver, [litert], options());
    expect(rows).toMatchObject([{ ok: false, error: `no such operation (${settingsOf(litert)[0]})`, medianMs: null }]);
    expect(driver.calls.some((call) => call.startsWith('open'))).toBe(false);
  });

  test('half precision is asked of those that have it, by their own names', async () => {
    const precisions: string[] = [];
    const driver = driverWith({
      first: ({ name, precision }) => {
        precisions.push(`${name} ${precision}`);
        return first;
      },
    });
    const rows = await measure(driver, halfKeys, options(3, 'half'));
    expect(new Set(rows.map(({ name }) => name))).toEqual(new Set(['mobilenet-webgpu', 'litert', 'onnxruntime-web']));
    expect(precisions).toContain('mobilenet-webgpu float16-storage');
    expect(precisions).toContain('onnxruntime-web float16');
    expect(rows.every(({ precision }) => precision.startsWith('float16'))).toBe(true);
  });

  test('frames a second are of the faster way, one after another or as many in flight as the engine takes', async () => {
    const ms: Record<string, number[]> = { 'litert 1': [400, 200, 300], 'litert 3': [30, 20, 10] };
    ms['onnxruntime-web 1'] = [100, 100, 100];
    ms['onnxruntime-web 3'] = [150, 150, 150];
    const driver = driverWith({
      first: () => ({ ...first, inFlight: 3 }),
      run: () => warm(400),
      burst: ({ name }, frames, inFlight) => burst(frames, frames * ms[`${name} ${inFlight}`]!.shift()!),
    });
    const [a, b] = await measure(driver, [wasm, ortWasm], options(10));
    expect(a).toMatchObject({ framesPerSecond: 50, framesInFlight: 3 });
    expect(b).toMatchObject({ framesPerSecond: 10, framesInFlight: 1 });
    // Three at least, and twice as many as are in flight.
    expect(driver.calls.filter((call) => call.startsWith('burst litert'))).toEqual([
      ...['burst litert/wasm 3 1', 'burst litert/wasm 6 3', 'burst litert/wasm 3 1'],
      ...['burst litert/wasm 6 3', 'burst litert/wasm 3 1', 'burst litert/wasm 6 3'],
    ]);
  });

  test('what takes longer than half a second a frame has one burst', async () => {
    const driver = driverWith({ run: () => warm(600) });
    await measure(driver, [wasm], options(10));
    expect(driver.calls.filter((call) => call.startsWith('burst'))).toHaveLength(1);
  });

  test('a wrong output of any frame in flight is refused', async () => {
    let bursts = 0;
    const driver = driverWith({ burst: (_setup, frames) => burst(frames, 10, ++bursts === 2 ? wrong : right) });
    const [row] = await measure(driver, [wasm], options());
    expect(row).toMatchObject({ ok: false, error: 'output differs', maxAbsDiff: 1 });
    expect(bursts).toBe(2);
  });

  test('without a number of rounds there are seven at least, and an end', async () => {
    const [row] = await measure(driverWith(), [wasm], options(null));
    expect(row!.runs).toBeGreaterThanOrEqual(7);
    expect(row!.runs).toBeLessThan(100);
  });

  test('an engine that fails is left out, with its own words', async () => {
    const driver = driverWith({
      first: ({ name }) => {
        if (name === 'onnxruntime-web') throw new Error('no such operation');
        return first;
      },
    });
    const [a, b] = await measure(driver, [wasm, ortWasm], options());
    expect(a).toMatchObject({ ok: true, runs: 3 });
    expect(b).toMatchObject({ ok: false, error: 'no such operation', medianMs: null, firstMs: null, runs: 0 });
    expect(driver.calls).not.toContain('open onnxruntime-web/wasm');
  });

  test('a wrong output is refused before its time is believed', async () => {
    const driver = driverWith({
      first: ({ name }) => (name === 'onnxruntime-web' ? { ...first, judgement: wrong } : first),
    });
    const [, b] = await measure(driver, [wasm, ortWasm], options());
    expect(b).toMatchObject({ ok: false, error: 'output differs', medianMs: null, maxAbsDiff: 1 });
  });

  test('an output that is wrong in a later run is refused too', async () => {
    let runs = 0;
    const driver = driverWith({ run: () => warm(5, ++runs === 3 ? wrong : right) });
    const [row] = await measure(driver, [wasm], options(10));
    expect(row).toMatchObject({ ok: false, error: 'output differs', maxAbsDiff: 1 });
    expect(runs).toBe(3);
  });

  test('after a browser that ended, the others are opened again and go on', async () => {
    let crashed = false;
    let alive = true;
    const driver = driverWith({
      open: () => {
        alive = true;
        return opened;
      },
      run: ({ name }) => {
        if (name === 'onnxruntime-web' && !crashed) {
          crashed = true;
          alive = false;
          throw new Error('the browser ended');
        }
        if (!alive) throw new Error('not open');
        return warm(20);
      },
      alive: () => alive,
    });
    const [a, b] = await measure(driver, [wasm, ortWasm], options());
    expect(a).toMatchObject({ ok: true });
    expect(b).toMatchObject({ ok: false, error: 'the browser ended' });
    expect(driver.calls.filter((call) => call === 'open litert/wasm')).toHaveLength(2);
  });

  test('a row that never got its turn has failed, too', async () => {
    let alive = true;
    const driver = driverWith({
      run: ({ name }) => {
        if (name !== 'onnxruntime-web') return warm(20);
        alive = false;
        throw new Error('the browser ended');
      },
      alive: () => alive,
    });
    // The round that is not timed, and one that ends with the browser before the other row's turn.
    const rows = await measure(driver, [ortWasm, wasm], options(0));
    expect(rows[1]).toMatchObject({ ok: false, error: 'no warm run was timed' });
  });

  test('ends at once when it is aborted', async () => {
    const stopping = new AbortController();
    const driver = driverWith({
      run: () => {
        stopping.abort(new Error('interrupted'));
        throw new Error('the page was closed');
      },
    });
    const running = measure(driver, [wasm, ortWasm], { ...options(3), signal: stopping.signal });
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
    expect(() => selectEngines('tfjs', halfKeys)).toThrow(/no engine "tfjs"/);
  });
});

describe('the report', () => {
  const reported = (engines: readonly Row[], pollsSlowly = false) =>
    report({
      date: '2026-01-31',
      browser: 'Browser/1',
      adapter: { vendor: '', architecture: '', description: '', software: true, features: [] },
      model: 'v2-1.0-224',
      plan: 'default',
      precision: 'auto',
      threads: 2,
      coldCaches: true,
      pollsSlowly,
      engines,
    });

  test('has ratios to this engine, and says what failed', async () => {
    const driver = driverWith({
      run: ({ name }) => warm(name === 'litert' ? 60 : 20),
      first: ({ name }) => {
        if (name === 'tfjs') throw new Error('lost its device');
        return first;
      },
    });
    const text = reported(await measure(driver, [ours, litert, tfjs], options()));
    expect(text).toContain('v2-1.0-224, default plan, Browser/1 on an adapter that does not name itself');
    expect(text).toMatch(/litert 1\.2\.3\s+webgpu\s+–\s+ok\s+60\.0\s+3\.00 ×/);
    expect(text).toContain('tfjs (webgpu): FAILED: lost its device');
    expect(text).not.toContain('All outputs');
  });

  test('measures this engine, tuned, against the fastest peer on the GPU, nudged or not, and names its setting', async () => {
    const driver = driverWith({
      slow: true,
      run: ({ name, device, tuned }, nudged) =>
        warm(name === ours.name ? (tuned ? 20 : 10) : device === 'wasm' ? 1 : nudged ? 50 : 100),
    });
    const rows = await measure(driver, [ours, litert, wasm], options());
    const found = rivalry(rows, 'medianMs')!;
    expect(found).toMatchObject({ ours: { tuned: true }, rival: { name: 'litert', nudged: true, device: 'webgpu' } });
    expect(found.ratio).toBeCloseTo(0.4);
    const text = reported(rows, true);
    expect(text).toContain(`Warm runs: 0.40 of the time of litert (nudged; ${found.rival.setting}), 20.0 ms to 50.0.`);
    expect(text).toContain('peers were measured nudged, too');
  });

  test('calls nothing failed that was not measured yet', async () => {
    const seen: string[] = [];
    await measure(driverWith(), [ours, wasm], { ...options(), onRows: (rows) => seen.push(reported(rows)) });
    expect(seen[0]).toMatch(/litert\s+wasm\s+–\s+…/);
    expect(seen.join('')).not.toContain('FAILED');
    expect(seen.at(-1)).toMatch(/litert 1\.2\.3\s+wasm\s+–\s+ok/);
  });

  test('has no rival in a peer that is wrong', async () => {
    const driver = driverWith({ run: ({ name }) => (name === 'litert' ? warm(1, wrong) : warm(20)) });
    expect(rivalry(await measure(driver, [ours, litert], options()), 'medianMs')).toBeNull();
  });
});
