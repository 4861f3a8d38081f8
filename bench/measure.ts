import type { Precision } from '../src/index.ts';
import { type EngineKey, isOurs, label, ourHalves, ourOfIntegers, type Setup, settingsOf } from './engines/keys.ts';
import type { BurstSample, FirstSample, OpenedSample, WarmSample } from './page/workbench.ts';
import { quantile, type Row, type Tried } from './results.ts';

/** Where engines are opened and run: browsers driven from Node, or the page itself. */
export interface Driver {
  /** First results of each row; the median counts. */
  readonly firstRuns: number;
  /** Whether the browser looks at its queue only now and then, so that peers are measured nudged too. */
  pollsSlowly(): Promise<boolean>;
  /** A first result; in a fresh browser, where the driver has one. */
  first(setup: Setup, nudged: boolean): Promise<FirstSample>;
  /** Opens an engine for warm runs, and has it get as fast as it gets. */
  open(setup: Setup): Promise<OpenedSample>;
  close(setup: Setup): Promise<void>;
  run(setup: Setup, nudged: boolean): Promise<WarmSample>;
  /** So many frames, so many of them in flight at once. */
  burst(setup: Setup, frames: number, inFlight: number, nudged: boolean): Promise<BurstSample>;
  /** After a failure: false where the other engines have to be opened again. */
  alive(): boolean;
}

/** Of this engine; peers compute in float32. `half`: each engine in the half precision that it has. */
export type BenchPrecision = Precision | 'half';

export interface MeasureOptions {
  /** Rounds that are timed; null: as many as time allows. */
  readonly rounds: number | null;
  readonly precision: BenchPrecision;
  /** Whether the model is a quantised file that is given to engines as it is. */
  readonly quantised: boolean;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
  /** Called whenever one of them changes. */
  readonly onRows?: (rows: readonly Row[]) => void;
}

const LEAST_ROUNDS = 7;
const MOST_ROUNDS = 31;
/** No further round is begun after this time, once there are enough. */
const ROUNDS_MS = 30_000;

/** Warm runs of each setting of an engine that has several; one more before them is not timed. */
const SETTING_RUNS = 3;

/** Each is of about this time, and of so many frames; one burst, not three, of what takes longer a frame than half of it. */
const BURSTS = 3;
const BURST_MS = 1000;
const LEAST_FRAMES = 3;
const MOST_FRAMES = 60;

/**
 * First results, then warm runs, then bursts of frames. An engine that has several settings is measured at the fastest,
 * for first results and for warm runs by itself; a setting that fails is left out, and named. In every round each row runs
 * once, so that a drift of the machine meets all of them; the order turns from round to round. The first round is not
 * timed. A row that fails is left out from there on.
 */
export async function measure(driver: Driver, keys: readonly EngineKey[], options: MeasureOptions): Promise<Row[]> {
  const { rounds, signal, log, onRows } = options;
  const slow = await driver.pollsSlowly();
  const engines = keys.map((key) => new Engine(key, slow, options));
  const rows = engines.flatMap((engine) => engine.rows);
  const report = () => onRows?.(rows.map((measurement) => measurement.row()));
  const attempt = async (affected: readonly Measurement[], action: () => Promise<void>) => {
    signal.throwIfAborted();
    try {
      await action();
    } catch (error) {
      signal.throwIfAborted();
      for (const measurement of affected) measurement.fail(messageOf(error));
    }
    report();
  };

  for (const engine of engines) {
    await attempt(engine.rows, () => firstResults(driver, engine, options));
  }

  const running = () => rows.filter(({ error }) => error === null);
  /** One frame for all rows that differ by nudging alone. */
  const openAll = async () => {
    for (const group of groupsBy(running(), ({ setup }) => JSON.stringify(setup))) {
      log(`warming ${group[0]!.name} …`);
      await attempt(group, async () => {
        const opened = await driver.open(group[0]!.setup);
        for (const measurement of group) measurement.addOpened(opened);
      });
    }
  };
  for (const engine of engines) {
    if (engine.error !== null || engine.settings.length < 2) continue;
    await attempt(engine.rows, () => fastestSetting(driver, engine, options));
  }
  await openAll();

  let start = performance.now();
  for (let round = 0; running().length > 0; round++) {
    if (round === 1) start = performance.now();
    const enough = rounds === null ? round > LEAST_ROUNDS && performance.now() - start > ROUNDS_MS : round > rounds;
    if (enough || round > Math.max(MOST_ROUNDS, rounds ?? 0)) break;
    log(round === 0 ? 'a round that is not timed …' : `round ${round}${rounds === null ? '' : ` of ${rounds}`} …`);
    const turn = running();
    for (let i = 0; i < turn.length; i++) {
      const measurement = turn[(i + round) % turn.length]!;
      const { setup, nudged } = measurement;
      await attempt([measurement], async () => measurement.addWarm(await driver.run(setup, nudged), round > 0));
      if (measurement.error !== null && !driver.alive()) {
        await openAll();
        break;
      }
    }
  }

  for (let burst = 0; burst < Math.min(BURSTS, rounds ?? BURSTS); burst++) {
    log(`frames in flight, ${burst + 1} of ${BURSTS} …`);
    const turn = running().filter((measurement) => burst < measurement.bursts);
    for (let i = 0; i < turn.length; i++) {
      const measurement = turn[(i + burst) % turn.length]!;
      if (measurement.error !== null) continue;
      const { setup, nudged } = measurement;
      await attempt([measurement], async () => {
        for (const [frames, inFlight] of measurement.burstSizes) {
          measurement.addBurst(await driver.burst(setup, frames, inFlight, nudged), inFlight);
        }
      });
      if (measurement.error !== null && !driver.alive()) await openAll();
    }
  }
  for (const measurement of running()) {
    if (!measurement.timed) measurement.fail('no warm run was timed');
  }
  return rows.map((measurement) => measurement.row());
}

const messageOf = (error: unknown): string => (error as Error).message || String(error);

/** Each setting once; then the fastest, as often as the driver says, in every way that a row has. */
async function firstResults(driver: Driver, engine: Engine, { signal, log }: MeasureOptions): Promise<void> {
  const [likeliest] = engine.rows;
  const { nudged } = likeliest!;
  const tried: { setting: string; sample: FirstSample }[] = [];
  for (const setting of engine.settings) {
    signal.throwIfAborted();
    const setup = { ...likeliest!.setup, setting };
    log(`first result of ${likeliest!.name}${setting ? `, ${setting}` : ''} …`);
    try {
      const sample = await driver.first(setup, nudged);
      if (sample.judgement.error !== null && engine.settings.length > 1) throw new Error(sample.judgement.error);
      tried.push({ setting, sample });
      engine.tried[setting] = { firstMs: sample.firstMs, medianMs: null };
    } catch (error) {
      signal.throwIfAborted();
      if (engine.settings.length === 1) throw error;
      engine.refused.set(setting, messageOf(error));
    }
  }
  if (tried.length === 0) throw new Error([...engine.refused.values()][0]);
  engine.settings = tried.map(({ setting }) => setting);
  tried.sort((a, b) => a.sample.firstMs - b.sample.firstMs);
  const { setting, sample } = tried[0]!;
  // Rows of one engine that differ by what comes after have their first results in common.
  for (const rows of groupsBy(engine.rows, ({ nudged, setup }) => `${nudged} ${setup.precision}`)) {
    const [row] = rows;
    const samples = row === likeliest ? [sample] : [];
    while (samples.length < driver.firstRuns) {
      signal.throwIfAborted();
      log(`first result of ${row!.name}, ${samples.length + 1} of ${driver.firstRuns} …`);
      samples.push(await driver.first({ ...row!.setup, setting }, row!.nudged));
    }
    for (const one of rows) one.addFirsts(setting, samples);
  }
}

/** The fastest of several settings by warm runs in turn, which all rows of the engine have from then on. */
async function fastestSetting(driver: Driver, engine: Engine, { signal, log }: MeasureOptions): Promise<void> {
  const [likeliest] = engine.rows;
  const tried: { setup: Setup; times: number[] }[] = [];
  const attempt = async (setup: Setup, action: () => Promise<void>) => {
    signal.throwIfAborted();
    try {
      await action();
      return true;
    } catch (error) {
      signal.throwIfAborted();
      engine.refused.set(setup.setting, messageOf(error));
      return false;
    }
  };
  for (const setting of engine.settings) {
    log(`settings of ${likeliest!.name}: ${setting || 'as it comes'} …`);
    const setup = { ...likeliest!.setup, setting };
    const opened = await attempt(setup, async () => {
      const { judgement } = await driver.open(setup);
      if (judgement.error !== null) throw new Error(judgement.error);
    });
    if (opened) tried.push({ setup, times: [] });
  }
  let left = tried;
  for (let round = 0; round <= SETTING_RUNS; round++) {
    const kept: typeof tried = [];
    for (const { setup, times } of left) {
      const ran = await attempt(setup, async () => {
        const { ms, judgement } = await driver.run(setup, likeliest!.nudged);
        if (judgement.error !== null) throw new Error(judgement.error);
        if (round > 0) times.push(ms);
      });
      if (ran) kept.push({ setup, times });
    }
    left = kept;
  }
  if (left.length === 0) throw new Error([...engine.refused.values()][0]);
  for (const { setup, times } of left) {
    engine.tried[setup.setting] = { ...engine.tried[setup.setting]!, medianMs: quantile(times, 0.5) };
  }
  const fastest = left.reduce((best, next) => (quantile(next.times, 0.5) < quantile(best.times, 0.5) ? next : best));
  for (const { setup } of tried) await driver.close(setup);
  for (const row of engine.rows) row.setup = { ...row.setup, setting: fastest.setup.setting };
}

function groupsBy(rows: readonly Measurement[], keyOf: (row: Measurement) => string): Measurement[][] {
  const groups = new Map<string, Measurement[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return [...groups.values()];
}

/** An engine on a device: its rows, the likeliest to be fastest first. */
class Engine {
  readonly rows: readonly Measurement[];
  /** Those that ran so far. */
  settings: readonly string[];
  /** Why the others did not. */
  readonly refused = new Map<string, string>();
  /** What each setting took when they were tried. */
  readonly tried: Record<string, Tried> = {};

  constructor(key: EngineKey, slow: boolean, { precision: wanted, quantised }: MeasureOptions) {
    this.settings = settingsOf(key);
    const row = (nudged: boolean, tuned: boolean, precision: Setup['precision']) =>
      new Measurement(this, { ...key, setting: this.settings[0]!, tuned, precision }, nudged);
    if (isOurs(key)) {
      // It nudges by itself.
      const precisions = wanted === 'half' ? ourHalves : quantised && wanted === 'auto' ? ourOfIntegers : [wanted];
      this.rows = precisions.flatMap((precision) => [true, false].map((tuned) => row(false, tuned, precision)));
    } else {
      const integers = quantised && key.name === 'litert' && key.device === 'wasm';
      const precision = wanted === 'half' ? 'float16' : integers ? 'int8' : 'float32';
      const modes = slow && key.device === 'webgpu' ? [true, false] : [false];
      this.rows = modes.map((nudged) => row(nudged, false, precision));
    }
  }

  get error(): string | null {
    return this.rows.every(({ error }) => error !== null) ? this.rows[0]!.error : null;
  }
}

class Measurement {
  setup: Setup;
  readonly nudged: boolean;
  error: string | null = null;
  readonly #engine: Engine;
  #firstSetting = '';
  #firsts: readonly FirstSample[] = [];
  #tuningMs: number | null = null;
  #last: WarmSample | null = null;
  readonly #times: number[] = [];
  readonly #hostTimes: number[] = [];
  /** Frames a second by how many were in flight. */
  readonly #rates = new Map<number, number[]>();
  #maxAbsDiff: number | null = null;
  #nmse: number | null = null;
  #steps: number | null = null;

  constructor(engine: Engine, setup: Setup, nudged: boolean) {
    this.#engine = engine;
    this.setup = setup;
    this.nudged = nudged;
  }

  get name(): string {
    return `${label(this.setup)}${this.nudged ? ', nudged' : ''}`;
  }

  fail(error: string): void {
    this.error ??= error;
  }

  addFirsts(setting: string, samples: readonly FirstSample[]): void {
    this.#firstSetting = setting;
    this.#firsts = samples;
    for (const sample of samples) this.#judge(sample);
  }

  addOpened(sample: OpenedSample): void {
    this.#tuningMs = sample.tuningMs;
    this.#judge(sample);
  }

  /** An output that is wrong once, be it the hundredth, is wrong. */
  addWarm(sample: WarmSample, timed: boolean): void {
    this.#last = sample;
    this.#judge(sample);
    if (!timed) return;
    this.#times.push(sample.ms);
    this.#hostTimes.push(sample.hostMs);
  }

  get timed(): boolean {
    return this.#times.length > 0;
  }

  get bursts(): number {
    return quantile(this.#times, 0.5) > BURST_MS / 2 ? 1 : BURSTS;
  }

  /**
   * Frames of a burst, and how many of them in flight: one after another, and as many as the engine takes. Twice that
   * many at least, so that most have others beside them.
   */
  get burstSizes(): [frames: number, inFlight: number][] {
    const fill = Math.min(MOST_FRAMES, Math.ceil(BURST_MS / quantile(this.#times, 0.5)));
    const ways = new Set([1, this.#firsts[0]?.inFlight ?? 1]);
    return [...ways].map((inFlight) => [Math.max(LEAST_FRAMES, 2 * inFlight, fill), inFlight]);
  }

  addBurst(sample: BurstSample, inFlight: number): void {
    this.#judge(sample);
    const rates = this.#rates.get(inFlight) ?? [];
    this.#rates.set(inFlight, [...rates, (1000 * sample.frames) / sample.ms]);
  }

  /** The faster of the ways: some engines only get into their own way. */
  get #throughput(): Pick<Row, 'framesPerSecond' | 'framesInFlight'> {
    const ways = [...this.#rates].map(([framesInFlight, rates]) => ({
      framesPerSecond: quantile(rates, 0.5),
      framesInFlight,
    }));
    ways.sort((a, b) => b.framesPerSecond - a.framesPerSecond);
    return ways[0] ?? { framesPerSecond: null, framesInFlight: null };
  }

  #judge({ judgement }: FirstSample | WarmSample | BurstSample): void {
    this.#maxAbsDiff = Math.max(this.#maxAbsDiff ?? 0, judgement.maxAbsDiff);
    this.#nmse = Math.max(this.#nmse ?? 0, judgement.nmse);
    if (judgement.steps !== undefined) this.#steps = Math.max(this.#steps ?? 0, judgement.steps);
    if (judgement.error !== null) this.fail(judgement.error);
  }

  /** How the engine ran the model, and settings that did not run. */
  get #note(): string {
    const refused = [...this.#engine.refused].map(([setting, why]) => `not ${setting || 'as it comes'}: ${why}`);
    return [this.#firsts[0]?.note ?? '', ...refused].filter(Boolean).join('; ');
  }

  row(): Row {
    const at = (values: readonly number[], q: number) => (values.length > 0 ? quantile(values, q) : null);
    const { name, device, tuned, precision, setting } = this.setup;
    const first = this.#firsts[0];
    const note = this.#note;
    const firstRuns = this.#firsts.map(({ firstMs }) => firstMs);
    return {
      name,
      version: first?.version ?? '',
      device,
      precision: precision === 'auto' ? 'float32' : precision,
      nudged: this.nudged || (this.#last?.emptySubmits ?? 0) > 0,
      tuned,
      setting,
      firstSetting: this.#firstSetting,
      startMs: at(
        this.#firsts.map(({ startMs }) => startMs),
        0.5,
      ),
      loadMs: at(
        this.#firsts.map(({ loadMs }) => loadMs),
        0.5,
      ),
      firstMs: at(firstRuns, 0.5),
      firstRuns,
      tuningMs: this.#tuningMs,
      medianMs: at(this.#times, 0.5),
      p95Ms: at(this.#times, 0.95),
      minMs: at(this.#times, 0),
      hostMs: at(this.#hostTimes, 0.5),
      ...this.#throughput,
      maxAbsDiff: this.#maxAbsDiff,
      nmse: this.#nmse,
      ...(this.#steps === null ? {} : { maxSteps: this.#steps }),
      ok: this.error === null && this.#times.length > 0,
      ...(this.error === null ? {} : { error: this.error }),
      ...(note ? { note } : {}),
      ...(Object.keys(this.#engine.tried).length > 1 ? { tried: this.#engine.tried } : {}),
      downloadBytes: first?.downloadBytes ?? null,
      gpuBytes: device === 'webgpu' ? (this.#last?.gpuBytes ?? null) : 0,
      dispatches: this.#last?.dispatches ?? null,
      submits: this.#last?.submits ?? null,
      gpuObjects: this.#last?.objects ?? null,
      runs: this.#times.length,
    };
  }
}
