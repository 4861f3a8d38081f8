import { parseArgs } from 'node:util';
import type { Browser } from 'puppeteer';
import { checkChoice, oneOf, runToExitCode, wholeNumber } from '../src/cli/command.ts';
import { EnginePage } from '../src/cli/engine-page.ts';
import { type BrowserName, browserNames, ensureBrowser, noInstallHelp } from '../src/cli/find-browsers.ts';
import type { Io } from '../src/cli/io.ts';
import { launchBrowser } from '../src/cli/launch-browser.ts';
import { readModel } from '../src/cli/model-argument.ts';
import { sourceOf } from '../src/cli/with-page.ts';
import { type AdapterDescription, type PlanOption, type Precision, seededInputs, version } from '../src/index.ts';
import { runGraph } from '../src/reference/index.ts';
import { type EngineKey, engineKeys, selectEngines } from './engines/keys.ts';
import { growth } from './growth.ts';
import { layers } from './layers.ts';
import { type Driver, measure } from './measure.ts';
import type { BurstSample, FirstSample, Preparation, WarmSample } from './page/workbench.ts';
import { describe } from './report.ts';
import type { Results, Row } from './results.ts';
import { Site } from './site.ts';

const help = `usage: npm run bench -- [--browser chrome|firefox] [--model MODEL] [--plan auto|unfused|fused]
                        [--precision auto|float32|float16-storage] [--engines NAME[/DEVICE],…] [--runs N] [--threads N] [--no-install] [--json]
       npm run bench -- --serve [--port N]
       npm run bench -- --layers [--browser B] [--model MODEL] [--plan P] [--json]
       npm run bench -- --growth [--browser B] [--plan P] [--runs N] [--plot FILE] [--json]
       npm run bench -- --host [--model MODEL] [--runs N] [--json]

This engine and its peers side by side: one browser, the same weights and input, outputs compared with the CPU
reference before any time is believed. MODEL is a file, or an id with random weights (v2-1.0-224).
Engines: mobilenet-webgpu, litert, tfjs, onnxruntime-web; devices: webgpu, wasm; all of them unless named.
--runs N times N warm runs of each; without it as many as half a minute allows, 7 at least.
--serve serves the same as a page, for any browser and GPU of this machine.
--layers times each dispatch of this engine, beside what it computes and moves.
--host times JavaScript and the API alone, in Node on Dawn's null backend, beside TensorFlow.js.
--growth times MobileNetV2 against width, input size and batch, beside its MACs; it writes a plot (docs/growth.svg unless
--plot names another file) and the numbers beside it.
The peers are installed into bench/node_modules where they are missing. ${noInstallHelp}`;

/** An engine that has not answered by then is not waited for any longer. */
const PATIENCE_MS = 300_000;

interface Settings {
  readonly browser: BrowserName;
  readonly install: boolean;
  readonly model: string;
  readonly plan: PlanOption;
  readonly precision: Precision;
  readonly engines: readonly EngineKey[];
  readonly rounds: number | null;
  readonly threads: number;
  readonly json: boolean;
  readonly serve: boolean;
  readonly layers: boolean;
  readonly growth: boolean;
  readonly plot: string;
  readonly port: number;
}

function parse(argv: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      browser: { type: 'string', default: 'chrome' },
      'no-install': { type: 'boolean', default: false },
      model: { type: 'string', default: 'v2-1.0-224' },
      plan: { type: 'string', default: 'auto' },
      precision: { type: 'string', default: 'auto' },
      engines: { type: 'string' },
      runs: { type: 'string' },
      threads: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
      serve: { type: 'boolean', default: false },
      layers: { type: 'boolean', default: false },
      growth: { type: 'boolean', default: false },
      plot: { type: 'string', default: 'docs/growth.svg' },
      port: { type: 'string', default: '0' },
    },
  });
  const { plan, precision } = checkChoice({ device: 'webgpu', plan: values.plan, precision: values.precision });
  return {
    browser: oneOf('browser', values.browser, browserNames),
    install: !values['no-install'],
    model: values.model,
    plan,
    precision,
    engines: values.engines === undefined ? engineKeys : selectEngines(values.engines),
    rounds: values.runs === undefined ? null : wholeNumber('runs', values.runs, 1, 10_000),
    threads: wholeNumber('threads', values.threads, 1, 64),
    json: values.json,
    serve: values.serve,
    layers: values.layers,
    growth: values.growth,
    plot: values.plot,
    port: wholeNumber('port', values.port, 0, 65_535),
  };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

async function run(chosen: Settings, io: Io): Promise<number> {
  if (chosen.serve) return serve(chosen, io);
  if (chosen.growth) return growth(chosen, io);
  return chosen.layers ? layers(chosen, io) : bench(chosen, io);
}

async function serve({ port }: Settings, io: Io): Promise<number> {
  io.stderr.write('building the page …\n');
  const site = await Site.start(port);
  try {
    io.stdout.write(`The bench is at ${site.url}/ (Ctrl-C ends it)\n`);
    await new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }));
    return 0;
  } finally {
    await site.close();
  }
}

async function bench(chosen: Settings, io: Io): Promise<number> {
  const log = (message: string) => io.stderr.write(`${message}\n`);
  const graph = await readModel(chosen.model);
  await ensureBrowser(chosen.browser, log, { install: chosen.install });
  log('running the CPU reference …');
  const start = performance.now();
  const outputs = runGraph(graph, seededInputs(graph));
  const referenceMs = performance.now() - start;
  io.signal.throwIfAborted();

  log('building the page …');
  const site = await Site.start();
  const browsers = new Browsers(chosen, site, log, {
    source: sourceOf(chosen.model, site),
    plan: chosen.plan,
    precision: chosen.precision,
    threads: chosen.threads,
    expected: graph.outputs.map(({ name }) => outputs[name]!.data),
  });
  const stop = () => browsers.close();
  io.signal.addEventListener('abort', stop);
  try {
    const rows = await measure(browsers, chosen.engines, { rounds: chosen.rounds, signal: io.signal, log });
    const results: Results = {
      browser: browsers.version,
      adapter: browsers.adapter,
      model: graph.name,
      plan: chosen.plan,
      precision: chosen.precision,
      threads: chosen.threads,
      coldCaches: true,
      engines: [...rows, referenceRow(referenceMs)],
    };
    io.stdout.write(chosen.json ? `${JSON.stringify(results)}\n` : describe(results));
    return rows.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    io.signal.removeEventListener('abort', stop);
    await browsers.close();
    await site.close();
  }
}

/** One run in Node of what the outputs are compared with; a validator, not a fast CPU. */
const referenceRow = (ms: number): Row => ({
  name: 'mobilenet-webgpu',
  version,
  device: 'reference',
  startMs: 0,
  loadMs: 0,
  firstMs: ms,
  medianMs: ms,
  p95Ms: ms,
  minMs: ms,
  hostMs: ms,
  framesPerSecond: 1000 / ms,
  framesInFlight: 1,
  maxAbsDiff: 0,
  nmse: 0,
  ok: true,
  downloadBytes: null,
  gpuBytes: 0,
  dispatches: 0,
  submits: 0,
  gpuObjects: 0,
  runs: 1,
});

/** A fresh browser for every first result, and one for all warm runs: the engines are frames of one page there. */
class Browsers implements Driver {
  version = '';
  adapter: AdapterDescription | null = null;
  readonly #settings: Settings;
  readonly #site: Site;
  readonly #log: (message: string) => void;
  readonly #preparation: Preparation;
  readonly #open = new Set<Browser>();
  #warm: EnginePage | null = null;

  constructor(chosen: Settings, site: Site, log: (message: string) => void, preparation: Preparation) {
    this.#settings = chosen;
    this.#site = site;
    this.#log = log;
    this.#preparation = preparation;
  }

  async first(key: EngineKey): Promise<FirstSample> {
    const page = await this.#page(true);
    try {
      return await this.#call<FirstSample>(page, 'open', key);
    } finally {
      await this.#end(page.browser);
    }
  }

  async open(key: EngineKey): Promise<FirstSample> {
    this.#warm ??= await this.#page(false);
    return this.#call<FirstSample>(this.#warm, 'open', key);
  }

  async run(key: EngineKey): Promise<WarmSample> {
    if (!this.#warm) throw new Error('the browser ended');
    return this.#call<WarmSample>(this.#warm, 'run', key);
  }

  async burst(key: EngineKey, frames: number, inFlight: number): Promise<BurstSample> {
    if (!this.#warm) throw new Error('the browser ended');
    return this.#call<BurstSample>(this.#warm, 'burst', { key, frames, inFlight });
  }

  alive(): boolean {
    return this.#warm !== null;
  }

  async close(): Promise<void> {
    this.#warm = null;
    await Promise.all([...this.#open].map((browser) => this.#end(browser)));
  }

  async #page(coldCaches: boolean): Promise<EnginePage> {
    const { browser: name } = this.#settings;
    const browser = await launchBrowser(name, { log: this.#log, coldCaches });
    this.#open.add(browser);
    try {
      const said = new Set<string>();
      const log = (message: string) => {
        // An engine that fails in its workers says so in each of them, again and again; LiteRT.js reports its progress.
        if (!said.has(message) && !/^\w+: (INFO|WARNING): /.test(message)) this.#log(message);
        said.add(message);
      };
      const page = await EnginePage.openIn(browser, this.#site, name, { log });
      this.version = await browser.version();
      this.adapter = await page.call<AdapterDescription | null>('', 'describeAdapter');
      await page.call('', 'prepare', this.#preparation);
      return page;
    } catch (error) {
      await this.#end(browser);
      throw error;
    }
  }

  /** A page that ended, or that does not answer, takes its browser with it. */
  async #call<T>(page: EnginePage, name: string, argument: unknown): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(Object.assign(new Error(`no answer within ${PATIENCE_MS / 1000} s`), { code: 'page-ended' }));
      }, PATIENCE_MS);
    });
    try {
      return await Promise.race([page.call<T>('', name, argument), patience]);
    } catch (error) {
      if ((error as { code?: string }).code === 'page-ended') {
        if (this.#warm === page) this.#warm = null;
        await this.#end(page.browser);
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #end(browser: Browser): Promise<void> {
    if (!this.#open.delete(browser)) return;
    await browser.close().catch(() => {});
  }
}
