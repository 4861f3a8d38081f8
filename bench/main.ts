import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Browser } from 'puppeteer';
import { checkChoice, oneOf, runToExitCode, wholeNumber } from '../src/cli/command.ts';
import { EnginePage } from '../src/cli/engine-page.ts';
import { type BrowserName, browserNames, ensureBrowser, noInstallHelp } from '../src/cli/find-browsers.ts';
import type { Io } from '../src/cli/io.ts';
import { launchBrowser } from '../src/cli/launch-browser.ts';
import { readModel } from '../src/cli/model-argument.ts';
import { sourceOf } from '../src/cli/with-page.ts';
import { type AdapterDescription, type Graph, type PlanOption, version } from '../src/index.ts';
import { runGraph } from '../src/reference/index.ts';
import { type EngineKey, engineKeys, halfKeys, quantisedKeys, type Setup, selectEngines } from './engines/keys.ts';
import { describeShare, shareOfCheck } from './first.ts';
import { growth } from './growth.ts';
import { layers } from './layers.ts';
import { type BenchPrecision, type Driver, measure } from './measure.ts';
import type { BurstSample, FirstSample, OpenedSample, Preparation, WarmSample } from './page/workbench.ts';
import { pairs } from './pairs.ts';
import { benchInputs, integersOf, storedEnds } from './quantised.ts';
import { describe } from './report.ts';
import { type Results, type Row, today } from './results.ts';
import { Site } from './site.ts';

const help = `usage: npm run bench -- [--browser chrome|firefox] [--model MODEL] [--plan auto|unfused|fused]
                        [--precision auto|float32|float16|float16-storage|int8|half] [--engines NAME[/DEVICE],…] [--runs N] [--first-runs N]
                        [--threads N] [--no-install] [--json]
       npm run bench -- --serve [--port N]
       npm run bench -- --layers [--browser B] [--model MODEL] [--plan P] [--json]
       npm run bench -- --first [--browser B] [--model MODEL] [--runs N] [--json]
       npm run bench -- --pairs [--browser B] [--model MODEL] [--plan P] [--runs N] [--json]
       npm run bench -- --growth [--browser B] [--plan P] [--runs N] [--plot FILE] [--json]
       npm run bench -- --host [--model MODEL] [--runs N] [--json]
       npm run bench -- --isa TOOL [--help]

This engine and its peers side by side: one browser, the same weights and input, outputs compared with the CPU
reference before any time is believed. MODEL is a file, or an id with random weights (v2-1.0-224).
Engines: mobilenet-webgpu, litert, tfjs, onnxruntime-web; devices: webgpu, wasm; all of them unless named.
Each peer runs at the fastest of its settings; where the browser looks at its queue only now and then, nudged too.
A quantised TensorFlow Lite file is given as it is to this engine, on integers and in float32, and to LiteRT.js.
--precision half: engines that have half precision, at theirs.
--runs N times N warm runs of each; without it as many as half a minute allows, 7 at least. --first-runs N: the median of
so many first results, each in a fresh browser without shader caches; 3 unless given. --threads N: of WebAssembly; all that
the machine has unless given.
--serve serves the same as a page, for any browser and GPU of this machine.
--layers times each dispatch of this engine, beside what it computes and moves.
--first times first results of this engine with its self-check and without, in turns, each in a fresh browser without shader
caches, and prints the share of the check; 10 of each unless --runs says otherwise.
--pairs runs the plans "unfused" and P in turns, 30 times unless --runs says otherwise, after both were tuned.
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
  readonly precision: BenchPrecision;
  /** Null: those that the model is for. */
  readonly engines: readonly EngineKey[] | null;
  readonly rounds: number | null;
  readonly firstRuns: number;
  readonly threads: number;
  readonly json: boolean;
  readonly serve: boolean;
  readonly layers: boolean;
  readonly growth: boolean;
  readonly pairs: boolean;
  readonly first: boolean;
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
      'first-runs': { type: 'string', default: '3' },
      threads: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
      serve: { type: 'boolean', default: false },
      layers: { type: 'boolean', default: false },
      growth: { type: 'boolean', default: false },
      pairs: { type: 'boolean', default: false },
      first: { type: 'boolean', default: false },
      plot: { type: 'string', default: 'docs/growth.svg' },
      port: { type: 'string', default: '0' },
    },
  });
  const half = values.precision === 'half';
  const { plan, precision } = checkChoice({
    device: 'webgpu',
    plan: values.plan,
    precision: half ? 'auto' : values.precision,
  });
  const keys = half ? halfKeys : engineKeys;
  return {
    browser: oneOf('browser', values.browser, browserNames),
    install: !values['no-install'],
    model: values.model,
    plan,
    precision: half ? 'half' : precision,
    engines: values.engines === undefined ? (half ? keys : null) : selectEngines(values.engines, keys),
    rounds: values.runs === undefined ? null : wholeNumber('runs', values.runs, 1, 10_000),
    firstRuns: wholeNumber('first-runs', values['first-runs'], 1, 100),
    threads: wholeNumber('threads', values.threads, 1, 1024),
    json: values.json,
    serve: values.serve,
    layers: values.layers,
    growth: values.growth,
    pairs: values.pairs,
    first: values.first,
    plot: values.plot,
    port: wholeNumber('port', values.port, 0, 65_535),
  };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

async function run(chosen: Settings, io: Io): Promise<number> {
  if (chosen.serve) return serve(chosen, io);
  if (chosen.growth) return growth(chosen, io);
  if (chosen.pairs) return pairs(chosen, io);
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
  const integers = await quantisedIn(chosen.model, graph);
  const inputs = benchInputs(graph, integers);
  const start = performance.now();
  const outputs = runGraph(graph, inputs);
  const referenceMs = performance.now() - start;
  const stored = integers && runGraph(integers, inputs);
  io.signal.throwIfAborted();

  log('building the page …');
  const site = await Site.start();
  const browsers = new Browsers(chosen, site, log, {
    source: sourceOf(chosen.model, site),
    plan: chosen.plan,
    threads: chosen.threads,
    expected: {
      real: graph.outputs.map(({ name }) => outputs[name]!.data),
      integers: stored && graph.outputs.map(({ name }) => stored[name]!.data),
    },
  });
  const stop = () => browsers.end();
  io.signal.addEventListener('abort', stop);
  try {
    if (chosen.first) {
      const found = await shareOfCheck(browsers, chosen.rounds, io.signal, log);
      const said = { browser: browsers.version, model: graph.name, ...found };
      io.stdout.write(chosen.json ? `${JSON.stringify(said)}\n` : describeShare(said));
      return 0;
    }
    const { rounds, precision } = chosen;
    const quantised = integers !== null;
    const engines = chosen.engines ?? (quantised ? quantisedKeys : engineKeys);
    const rows = await measure(browsers, engines, { rounds, precision, quantised, signal: io.signal, log });
    const results: Results = {
      date: today(),
      browser: browsers.version,
      adapter: browsers.adapter,
      model: graph.name,
      plan: chosen.plan,
      precision: chosen.precision,
      threads: chosen.threads,
      coldCaches: true,
      pollsSlowly: browsers.slow,
      engines: [...rows, referenceRow(referenceMs)],
    };
    io.stdout.write(chosen.json ? `${JSON.stringify(results)}\n` : describe(results));
    return rows.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    io.signal.removeEventListener('abort', stop);
    await browsers.end();
    await site.close();
  }
}

/** The network on integers, where MODEL is a quantised TensorFlow Lite file that engines are given as it is. */
async function quantisedIn(model: string, graph: Graph): Promise<Graph | null> {
  const integers = /\.tflite$/i.test(model) ? integersOf(graph) : null;
  return integers && (await storedEnds(graph, await readFile(model))) && integers;
}

/** One run in Node of what the outputs are compared with; a validator, not a fast CPU. */
const referenceRow = (ms: number): Row => ({
  name: 'mobilenet-webgpu',
  version,
  device: 'reference',
  precision: 'float64',
  nudged: false,
  tuned: false,
  setting: '',
  firstSetting: '',
  startMs: 0,
  loadMs: 0,
  firstMs: ms,
  firstRuns: [ms],
  tuningMs: null,
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
  slow = false;
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

  get firstRuns(): number {
    return this.#settings.firstRuns;
  }

  async pollsSlowly(): Promise<boolean> {
    this.slow = await this.#fresh((page) => this.#call<boolean>(page, 'pollsSlowly'));
    return this.slow;
  }

  first(setup: Setup, nudged: boolean): Promise<FirstSample> {
    return this.#fresh(async (page) => {
      await page.call('', 'prepare', this.#preparation);
      return this.#call<FirstSample>(page, 'first', { setup, nudged });
    });
  }

  async open(setup: Setup): Promise<OpenedSample> {
    if (!this.#warm) {
      const page = await this.#page(false);
      await page.call('', 'prepare', this.#preparation);
      this.#warm = page;
    }
    return this.#call<OpenedSample>(this.#warm, 'open', setup);
  }

  close(setup: Setup): Promise<void> {
    return this.#inWarm('close', setup);
  }

  run(setup: Setup, nudged: boolean): Promise<WarmSample> {
    return this.#inWarm('run', { setup, nudged });
  }

  burst(setup: Setup, frames: number, inFlight: number, nudged: boolean): Promise<BurstSample> {
    return this.#inWarm('burst', { setup, frames, inFlight, nudged });
  }

  alive(): boolean {
    return this.#warm !== null;
  }

  async end(): Promise<void> {
    this.#warm = null;
    await Promise.all([...this.#open].map((browser) => this.#end(browser)));
  }

  /** In a browser of its own, without shader caches. */
  async #fresh<T>(action: (page: EnginePage) => Promise<T>): Promise<T> {
    const page = await this.#page(true);
    try {
      return await action(page);
    } finally {
      await this.#end(page.browser);
    }
  }

  async #inWarm<T>(name: string, argument: unknown): Promise<T> {
    if (!this.#warm) throw new Error('the browser ended');
    return this.#call<T>(this.#warm, name, argument);
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
      return page;
    } catch (error) {
      await this.#end(browser);
      throw error;
    }
  }

  /** A page that ended, or that does not answer, takes its browser with it. */
  async #call<T>(page: EnginePage, name: string, argument?: unknown): Promise<T> {
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
