import { parseArgs } from 'node:util';
import { runToExitCode, wholeNumber } from '../src/cli/command.ts';
import type { Io } from '../src/cli/io.ts';
import { readModel } from '../src/cli/model-argument.ts';
import { table } from '../src/cli/table.ts';
import { load, seededInputs, version } from '../src/index.ts';
import { runPasses } from '../src/passes/index.ts';
import { quantile } from './results.ts';

const help = `usage: npm run bench -- --host [--model MODEL] [--runs N] [--no-install] [--json]

JavaScript and API time of an inference, alone: Dawn in Node on its null backend, which computes nothing; this engine and
TensorFlow.js in turn, on the same weights and input.`;

export interface HostRow {
  readonly name: 'mobilenet-webgpu' | 'tfjs';
  readonly version: string;
  /** Medians, ms: until `run` returned, having submitted; until the outputs were there. */
  readonly submitMs: number;
  readonly hostMs: number;
  readonly p95Ms: number;
}

interface Contender {
  readonly name: HostRow['name'];
  readonly version: string;
  run(): Promise<unknown>;
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

async function run(chosen: ReturnType<typeof parse>, io: Io): Promise<number> {
  const graph = await readModel(chosen.model);
  const gpu = await nullBackend();
  const inputs = seededInputs(graph);
  const model = await load(graph, { device: 'webgpu', gpu, tuning: 'off', selfCheck: 'off' });
  const tfjs = await import('./engines/tfjs-webgpu.ts');
  const none = new Uint8Array();
  const peer = await (await tfjs.start({ setting: 'one submit' })).load({
    graph: runPasses(graph),
    onnx: none,
    tflite: none,
    tfliteOrigin: 'written',
    ends: null,
  });
  const values = graph.inputs.map(({ name }) => inputs[name]!);
  const contenders: Contender[] = [
    { name: 'mobilenet-webgpu', version, run: () => model.run(inputs) },
    { name: 'tfjs', version: tfjs.version, run: () => peer.run(values) },
  ];
  const engines = await timeInTurn(contenders, chosen.runs, io.signal);
  model.dispose();
  const [ours, theirs] = engines as [HostRow, HostRow];
  const ratio = theirs.hostMs / ours.hostMs;
  const results = { model: graph.name, node: process.version, backend: 'null', runs: chosen.runs, ratio, engines };
  io.stdout.write(chosen.json ? `${JSON.stringify(results)}\n` : describe(engines, ratio));
  return 0;
}

function parse(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      host: { type: 'boolean' },
      'no-install': { type: 'boolean' },
      model: { type: 'string', default: 'v2-1.0-224' },
      runs: { type: 'string', default: '300' },
      json: { type: 'boolean', default: false },
    },
  });
  return { model: values.model, runs: wholeNumber('runs', values.runs, 1, 100_000), json: values.json };
}

/** WebGPU that computes nothing, with the globals that TensorFlow.js looks for. */
async function nullBackend(): Promise<GPU> {
  const { create, globals } = await import('webgpu');
  const gpu = create(['backend=null']);
  const navigator = Object.create(globalThis.navigator ?? null, { gpu: { value: gpu } });
  const define = (name: string, value: unknown) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  for (const [name, value] of Object.entries(globals)) define(name, value);
  define('navigator', navigator);
  define('window', globalThis);
  return gpu;
}

/** Each once a round, so that a drift of the machine meets all; a third of as many rounds come before, untimed. */
async function timeInTurn(contenders: readonly Contender[], runs: number, signal: AbortSignal): Promise<HostRow[]> {
  const times = contenders.map(() => ({ submit: [] as number[], whole: [] as number[] }));
  for (let round = -Math.max(20, Math.ceil(runs / 3)); round < runs; round++) {
    signal.throwIfAborted();
    for (const [i, contender] of contenders.entries()) {
      const start = performance.now();
      const pending = contender.run();
      const submitted = performance.now();
      await pending;
      const end = performance.now();
      if (round < 0) continue;
      times[i]!.submit.push(submitted - start);
      times[i]!.whole.push(end - start);
    }
  }
  return contenders.map(({ name, version }, i) => ({
    name,
    version,
    submitMs: quantile(times[i]!.submit, 0.5),
    hostMs: quantile(times[i]!.whole, 0.5),
    p95Ms: quantile(times[i]!.whole, 0.95),
  }));
}

function describe(engines: readonly HostRow[], ratio: number): string {
  const rows = engines.map((row) => [
    `${row.name} ${row.version}`,
    ...[row.submitMs, row.hostMs, row.p95Ms].map((ms) => ms.toFixed(3)),
  ]);
  const head = ['engine', 'until submitted, ms', 'host, ms', '95 %'];
  return `${table([head, ...rows])}\nTensorFlow.js takes ${ratio.toFixed(1)} times as long.\n`;
}
