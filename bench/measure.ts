import { type EngineKey, label } from './engines/keys.ts';
import type { BurstSample, FirstSample, WarmSample } from './page/workbench.ts';
import { quantile, type Row } from './results.ts';

/** Where engines are opened and run: browsers driven from Node, or the page itself. */
export interface Driver {
  /** A first result; in a fresh browser, where the driver has one. */
  first(key: EngineKey): Promise<FirstSample>;
  /** Opens an engine for warm runs. */
  open(key: EngineKey): Promise<FirstSample>;
  run(key: EngineKey): Promise<WarmSample>;
  /** So many frames, so many of them in flight at once. */
  burst(key: EngineKey, frames: number, inFlight: number): Promise<BurstSample>;
  /** After a failure: false where the other engines have to be opened again. */
  alive(): boolean;
}

export interface MeasureOptions {
  /** Rounds that are timed; null: as many as time allows. */
  readonly rounds: number | null;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
  /** Called whenever a row changes. */
  readonly onRow?: (key: EngineKey, row: Row) => void;
}

const LEAST_ROUNDS = 7;
const MOST_ROUNDS = 31;
/** No further round is begun after this time, once there are enough. */
const ROUNDS_MS = 30_000;

/** Each is of about this time, and of so many frames. */
const BURSTS = 3;
const BURST_MS = 1000;
const LEAST_FRAMES = 3;
const MOST_FRAMES = 60;

/**
 * First results, then warm runs, then bursts of frames: in every round each engine runs once, so that a drift of the machine meets all of them;
 * the order turns from round to round. The first round is not timed. An engine that fails is left out from there on.
 */
export async function measure(driver: Driver, keys: readonly EngineKey[], options: MeasureOptions): Promise<Row[]> {
  const { rounds, signal, log, onRow } = options;
  const measurements = keys.map((key) => new Measurement(key));
  const attempt = async (measurement: Measurement, action: () => Promise<void>) => {
    signal.throwIfAborted();
    try {
      await action();
    } catch (error) {
      signal.throwIfAborted();
      measurement.fail((error as Error).message || String(error));
    }
    onRow?.(measurement.key, measurement.row());
  };

  for (const measurement of measurements) {
    log(`first result of ${label(measurement.key)} …`);
    await attempt(measurement, async () => measurement.addFirst(await driver.first(measurement.key)));
  }

  const running = () => measurements.filter(({ error }) => error === null);
  const openAll = async () => {
    for (const measurement of running()) {
      log(`warming ${label(measurement.key)} …`);
      await attempt(measurement, async () => measurement.addOpened(await driver.open(measurement.key)));
    }
  };
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
      await attempt(measurement, async () => measurement.addWarm(await driver.run(measurement.key), round > 0));
      if (measurement.error !== null && !driver.alive()) {
        await openAll();
        break;
      }
    }
  }

  const bursts = Math.min(BURSTS, rounds ?? BURSTS);
  for (let burst = 0; burst < bursts && running().length > 0; burst++) {
    log(`frames in flight, ${burst + 1} of ${bursts} …`);
    const turn = running();
    for (let i = 0; i < turn.length; i++) {
      const measurement = turn[(i + burst) % turn.length]!;
      if (measurement.error !== null) continue;
      await attempt(measurement, async () => {
        for (const [frames, inFlight] of measurement.bursts) {
          measurement.addBurst(await driver.burst(measurement.key, frames, inFlight), inFlight);
        }
      });
      if (measurement.error !== null && !driver.alive()) await openAll();
    }
  }
  return measurements.map((measurement) => measurement.row());
}

class Measurement {
  readonly key: EngineKey;
  error: string | null = null;
  #first: FirstSample | null = null;
  #last: WarmSample | null = null;
  readonly #times: number[] = [];
  readonly #hostTimes: number[] = [];
  /** Frames a second by how many were in flight. */
  readonly #rates = new Map<number, number[]>();
  #maxAbsDiff: number | null = null;
  #nmse: number | null = null;

  constructor(key: EngineKey) {
    this.key = key;
  }

  fail(error: string): void {
    this.error ??= error;
  }

  addFirst(sample: FirstSample): void {
    this.#first = sample;
    this.#judge(sample);
  }

  addOpened(sample: FirstSample): void {
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

  /**
   * Frames of a burst, and how many of them in flight: one after another, and as many as the engine takes. Twice that
   * many at least, so that most have others beside them.
   */
  get bursts(): [frames: number, inFlight: number][] {
    const fill = Math.min(MOST_FRAMES, Math.ceil(BURST_MS / quantile(this.#times, 0.5)));
    const ways = new Set([1, this.#first?.inFlight ?? 1]);
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
    if (judgement.error !== null) this.fail(judgement.error);
  }

  row(): Row {
    const at = (values: readonly number[], q: number) => (values.length > 0 ? quantile(values, q) : null);
    const gpu = this.key.device === 'webgpu';
    return {
      ...this.key,
      version: this.#first?.version ?? '',
      startMs: this.#first?.startMs ?? null,
      loadMs: this.#first?.loadMs ?? null,
      firstMs: this.#first?.firstMs ?? null,
      medianMs: at(this.#times, 0.5),
      p95Ms: at(this.#times, 0.95),
      minMs: at(this.#times, 0),
      hostMs: at(this.#hostTimes, 0.5),
      ...this.#throughput,
      maxAbsDiff: this.#maxAbsDiff,
      nmse: this.#nmse,
      ok: this.error === null && this.#times.length > 0,
      ...(this.error === null ? {} : { error: this.error }),
      ...(this.#first?.note ? { note: this.#first.note } : {}),
      downloadBytes: this.#first?.downloadBytes ?? null,
      gpuBytes: gpu ? (this.#last?.gpuBytes ?? null) : 0,
      dispatches: this.#last?.dispatches ?? null,
      submits: this.#last?.submits ?? null,
      gpuObjects: this.#last?.objects ?? null,
      runs: this.#times.length,
    };
  }
}
