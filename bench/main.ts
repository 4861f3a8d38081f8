import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EnginePage, EngineServer } from '../src/cli/engine-page.ts';
import { type BrowserName, browserNames } from '../src/cli/find-browsers.ts';
import type { Io } from '../src/cli/io.ts';
import { launchBrowser } from '../src/cli/launch-browser.ts';
import { readModel, usage } from '../src/cli/model-argument.ts';
import { table } from '../src/cli/table.ts';
import { type AdapterDescription, isArchitectureId, type PlanKind, seededInputs, UsageError } from '../src/index.ts';
import { runGraph } from '../src/reference/index.ts';
import { judge, quantile } from './compare.ts';
import type { EngineKey, LoadResult, RunResult } from './page.ts';

const help = `usage: npm run bench -- [--browser chrome|firefox] [--model MODEL] [--plan unfused|fused]
                        [--engines NAME,…] [--rounds N] [--json]

This engine and its peers side by side: one browser, the same weights and input, outputs compared with the CPU
reference before any time is believed. MODEL is a file, or an id with random weights (v2-1.0-224).`;

/** Every engine and device that is measured. */
const engines: readonly EngineKey[] = [
  { name: 'mobilenet-webgpu', device: 'webgpu' },
  { name: 'tfjs', device: 'webgpu' },
  { name: 'tfjs', device: 'wasm' },
];

interface Row {
  readonly name: string;
  readonly version: string;
  readonly device: string;
  readonly loadMs: number | null;
  readonly firstMs: number | null;
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  readonly hostMs: number | null;
  readonly maxAbsDiff: number | null;
  readonly ok: boolean;
  readonly error?: string;
  readonly dispatches?: number;
  readonly submits?: number;
  readonly gpuBytes?: number;
  readonly runs?: number;
}

interface Settings {
  readonly browser: BrowserName;
  readonly model: string;
  readonly plan: PlanKind;
  readonly names: readonly string[] | null;
  readonly rounds: number;
  readonly json: boolean;
}

function settings(argv: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      browser: { type: 'string', default: 'chrome' },
      model: { type: 'string', default: 'v2-1.0-224' },
      plan: { type: 'string', default: 'unfused' },
      engines: { type: 'string' },
      rounds: { type: 'string', default: '9' },
      json: { type: 'boolean', default: false },
    },
  });
  const { browser, model, plan } = values;
  if (!browserNames.includes(browser as BrowserName)) {
    throw new UsageError(`--browser is "${browser}", expected chrome or firefox`);
  }
  if (plan !== 'unfused' && plan !== 'fused') throw new UsageError(`--plan is "${plan}", expected unfused or fused`);
  const names = values.engines?.split(',') ?? null;
  const unknown = names?.find((name) => !engines.some((engine) => engine.name === name));
  if (unknown)
    throw new UsageError(
      `--engines has "${unknown}", there are ${[...new Set(engines.map((e) => e.name))].join(', ')}`,
    );
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds >= 1))
    throw new UsageError(`--rounds is "${values.rounds}", expected a whole number ≥ 1`);
  return { browser: browser as BrowserName, model, plan, names, rounds, json: values.json };
}

export async function main(argv: readonly string[], io: Io): Promise<number> {
  const chosen = usage(io, help, () => settings(argv));
  if (!chosen) return 2;
  const log = (message: string) => io.stderr.write(`${message}\n`);
  const graph = await readModel(chosen.model);
  log('running the CPU reference …');
  const inputs = seededInputs(graph);
  const startReference = performance.now();
  const expected = runGraph(graph, inputs)[graph.outputs[0]!.name]!.data;
  const referenceMs = performance.now() - startReference;

  const server = await EngineServer.start({
    root: fileURLToPath(new URL('./', import.meta.url)),
    dependencies: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu', '@tensorflow/tfjs-backend-wasm'],
  });
  const source = isArchitectureId(chosen.model)
    ? chosen.model
    : `${server.lend('model', dirname(resolve(chosen.model)))}/${encodeURIComponent(basename(chosen.model))}`;
  try {
    const bench = new Bench(server, chosen, source, expected, log, io.signal);
    const rows = await bench.measure();
    const reference: Row = {
      name: 'mobilenet-webgpu',
      version: rows[0]?.version ?? '',
      device: 'reference',
      loadMs: 0,
      firstMs: referenceMs,
      medianMs: referenceMs,
      p95Ms: referenceMs,
      hostMs: referenceMs,
      maxAbsDiff: 0,
      ok: true,
      runs: 1,
    };
    const result = {
      browser: bench.browserVersion,
      adapter: bench.adapter,
      model: graph.name,
      plan: chosen.plan,
      engines: [...rows, reference],
    };
    io.stdout.write(chosen.json ? `${JSON.stringify(result)}\n` : describe(result));
    return rows.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    await server.close();
  }
}

class Bench {
  browserVersion = '';
  adapter: AdapterDescription | null = null;
  readonly #server: EngineServer;
  readonly #settings: Settings;
  readonly #source: string;
  readonly #expected: Float32Array;
  readonly #log: (message: string) => void;
  readonly #signal: AbortSignal;

  constructor(
    server: EngineServer,
    chosen: Settings,
    source: string,
    expected: Float32Array,
    log: (message: string) => void,
    signal: AbortSignal,
  ) {
    this.#server = server;
    this.#settings = chosen;
    this.#source = source;
    this.#expected = expected;
    this.#log = log;
    this.#signal = signal;
  }

  async measure(): Promise<Row[]> {
    const { names } = this.#settings;
    const chosen = engines.filter(({ name }) => names === null || names.includes(name));
    const firsts: (LoadResult | Error)[] = [];
    for (const engine of chosen) firsts.push(await this.#first(engine));
    const warm = await this.#warm(chosen.filter((_, i) => !(firsts[i] instanceof Error)));
    return chosen.map((engine, i) => this.#row(engine, firsts[i]!, warm.get(engine)));
  }

  /** A first result in a fresh browser without any cache. */
  async #first(engine: EngineKey): Promise<LoadResult | Error> {
    this.#signal.throwIfAborted();
    this.#log(`first result of ${engine.name} (${engine.device}) …`);
    const options = { log: this.#log, coldCaches: true };
    const page = await EnginePage.open(this.#server, this.#settings.browser, options);
    const stop = () => page.close();
    this.#signal.addEventListener('abort', stop);
    try {
      this.browserVersion = await page.browser.version();
      this.adapter = await page.call<AdapterDescription>('/adapter.ts', 'describeAdapter');
      return await this.#call<LoadResult>(page, engine);
    } catch (error) {
      return error as Error;
    } finally {
      this.#signal.removeEventListener('abort', stop);
      await page.close();
    }
  }

  #call<T>(page: EnginePage, engine: EngineKey): Promise<T> {
    return page.call<T>('/page.ts', 'first', { engine, source: this.#source, plan: this.#settings.plan });
  }

  /** Warm runs: a page an engine in one browser, engines in turn, so that a drift of the machine meets all of them. */
  async #warm(chosen: readonly EngineKey[]): Promise<Map<EngineKey, RunResult[] | Error>> {
    const results = new Map<EngineKey, RunResult[] | Error>();
    const { browser: name, rounds } = this.#settings;
    const browser = await launchBrowser(name, { log: this.#log });
    const stop = () => browser.close();
    this.#signal.addEventListener('abort', stop);
    try {
      const pages = new Map<EngineKey, EnginePage>();
      for (const engine of chosen) {
        this.#log(`warming ${engine.name} (${engine.device}) …`);
        const page = await EnginePage.openIn(browser, this.#server, name, { log: this.#log });
        await this.#call<LoadResult>(page, engine);
        pages.set(engine, page);
        results.set(engine, []);
      }
      for (let round = 0; round < rounds; round++) {
        this.#log(`round ${round + 1} of ${rounds} …`);
        for (const [engine, page] of pages) {
          this.#signal.throwIfAborted();
          await page.page.bringToFront();
          const result = await page.call<RunResult>('/page.ts', 'run');
          const known = results.get(engine);
          // The first round is not counted: pages were in the background.
          if (round > 0 && Array.isArray(known)) known.push(result);
        }
      }
    } finally {
      this.#signal.removeEventListener('abort', stop);
      await browser.close();
    }
    return results;
  }

  #row(engine: EngineKey, first: LoadResult | Error, warm: RunResult[] | Error | undefined): Row {
    const none = { loadMs: null, firstMs: null, medianMs: null, p95Ms: null, hostMs: null, maxAbsDiff: null };
    if (first instanceof Error) return { ...engine, version: '', ...none, ok: false, error: first.message };
    const { version, loadMs, firstMs, output, dispatches, submits, gpuBytes } = first;
    const { maxAbsDiff, error } = judge(output, this.#expected);
    const runs = Array.isArray(warm) ? warm : [];
    const times = runs.map(({ ms }) => ms);
    return {
      ...engine,
      version,
      loadMs,
      firstMs,
      medianMs: runs.length > 0 ? quantile(times, 0.5) : null,
      p95Ms: runs.length > 0 ? quantile(times, 0.95) : null,
      hostMs:
        runs.length > 0
          ? quantile(
              runs.map(({ hostMs }) => hostMs),
              0.5,
            )
          : null,
      maxAbsDiff,
      ok: error === null,
      ...(error === null ? {} : { error }),
      dispatches,
      submits,
      gpuBytes,
      runs: runs.length,
    };
  }
}

function describe(result: {
  browser: string;
  adapter: AdapterDescription | null;
  model: string;
  plan: string;
  engines: Row[];
}): string {
  const ours = result.engines[0]!;
  const ms = (value: number | null) => (value === null ? '–' : value.toFixed(1));
  const ratio = (value: number | null, base: number | null) =>
    value === null || !base ? '–' : `${(value / base).toFixed(2)} ×`;
  const rows = result.engines.map((row) => [
    row.ok ? 'ok' : 'FAILED',
    row.name,
    row.version,
    row.device,
    ms(row.firstMs),
    ratio(row.firstMs, ours.firstMs),
    ms(row.medianMs),
    ratio(row.medianMs, ours.medianMs),
    ms(row.p95Ms),
    ms(row.hostMs),
    `${row.dispatches ?? '–'} / ${row.submits ?? '–'}`,
    row.maxAbsDiff === null ? '–' : row.maxAbsDiff.toExponential(1),
  ]);
  const head = [
    '',
    'engine',
    'version',
    'device',
    'first ms',
    '',
    'median ms',
    '',
    'p95 ms',
    'host ms',
    'dispatches / submits',
    'largest difference',
  ];
  const failures = result.engines
    .filter(({ error }) => error)
    .map(({ name, device, error }) => `${name} (${device}): ${error}\n`);
  const { vendor, architecture, description } = result.adapter ?? { vendor: '', architecture: '', description: '' };
  const adapter =
    [vendor, architecture, description].filter(Boolean).join(' ') || 'an adapter that does not name itself';
  return `${result.model}, ${result.plan} plan, ${result.browser} on ${adapter}\n\n${table([head, ...rows])}${failures.join('')}`;
}
