/** GPU or CPU: which runs a network faster here is measured once, and remembered. */
import type { CpuEngine, CpuExecutor, CpuFiles } from './cpu/engine.ts';
import type { AdapterDescription } from './device/gpu.ts';
import { DeviceError, MobileNetError } from './errors.ts';
import { networkCost } from './graph/cost.ts';
import type { Graph } from './graph/graph.ts';
import { seededInputs } from './graph/random-inputs.ts';
import type { DeviceRecord, TuningCache } from './tuning/cache.ts';
import { devicesKey, recallDevices, rememberDevice } from './tuning/device-memory.ts';
import type { TuningReport } from './tuning/index.ts';
import type { TunedExecutor } from './tuning/tuned-executor.ts';

/** An inference that takes no longer on a GPU is not worth another engine's download. */
const SLOW_MS = 30;

/** Tuned kernels are not as many times faster than those of a first result. */
const TUNING_GAIN = 4;

const MOST_RUNS = 5;
const LEAST_RUNS = 3;
const ENOUGH_MS = 500;

type Outputs = Readonly<Record<string, Float32Array>>;

/** What is measured. Each `run` is one inference of the same inputs, uploaded and read back. */
export interface Contest {
  /** A software implementation, which the CPU's own engine beats as a rule. */
  readonly software: boolean;
  readonly runGpu: () => Promise<Outputs>;
  /** Moves the GPU to its fastest kernels; null where that is not wanted. */
  readonly tuneGpu: (() => Promise<unknown>) | null;
  readonly engine: string;
  readonly openCpu: () => Promise<CpuExecutor>;
  readonly runCpu: (cpu: CpuExecutor) => Promise<Outputs>;
  /** Names an output that is another one on the CPU; null where there is none. */
  readonly differs: (cpu: CpuExecutor, found: Outputs, expected: Outputs) => string | null;
}

export interface Decision {
  /** What runs from now on in place of the GPU; null: the GPU. */
  readonly cpu: CpuExecutor | null;
  readonly reason: string;
  /** Null where nothing was learnt that holds the next time. */
  readonly record: DeviceRecord | null;
}

/** Which is faster. The engine of the CPU is opened only where the GPU is a software one or slow. */
export async function decide(contest: Contest, now: () => number = () => performance.now()): Promise<Decision> {
  const { software, runGpu, tuneGpu, engine, openCpu, runCpu, differs } = contest;
  const expected = await runGpu();
  let gpuMs = await medianMs(runGpu, now);
  const stay = (reason: string, cpuMs: number | null): Decision => {
    return { cpu: null, reason, record: { device: 'webgpu', gpuMs, cpuMs } };
  };
  if (!software && gpuMs <= SLOW_MS) return stay(`an inference takes ${milliseconds(gpuMs)} on the GPU`, null);
  let cpu: CpuExecutor | null = null;
  let failure: unknown = null;
  const onCpu = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      failure = error;
      throw error;
    });
  try {
    cpu = await onCpu(openCpu());
    const wrong = differs(cpu, await onCpu(runCpu(cpu)), expected);
    if (wrong !== null) {
      cpu.dispose();
      return stay(`the GPU runs: on ${engine} the output "${wrong}" is another`, null);
    }
    const opened = cpu;
    const cpuMs = await medianMs(() => onCpu(runCpu(opened)), now);
    if (tuneGpu && cpuMs * TUNING_GAIN > gpuMs) {
      await tuneGpu();
      gpuMs = await medianMs(runGpu, now);
    }
    const times = `an inference takes ${milliseconds(cpuMs)} on ${engine} and ${milliseconds(gpuMs)} on the GPU`;
    if (cpuMs < gpuMs) return { cpu, reason: times, record: { device: 'wasm', gpuMs, cpuMs } };
    cpu.dispose();
    return stay(times, cpuMs);
  } catch (error) {
    cpu?.dispose();
    if (error !== failure || !(error instanceof MobileNetError)) throw error;
    return { cpu: null, reason: `the GPU runs, as the CPU engine cannot: ${error.message}`, record: null };
  }
}

const milliseconds = (ms: number): string => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;

/** The median of several runs: fewer where they take long. */
async function medianMs(run: () => Promise<unknown>, now: () => number): Promise<number> {
  const times: number[] = [];
  for (let sum = 0; times.length < LEAST_RUNS || (times.length < MOST_RUNS && sum < ENOUGH_MS); ) {
    const start = now();
    await run();
    times.push(now() - start);
    sum += times.at(-1)!;
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

const advice = 'install @litertjs/core and name the folder of its files, "wasm", in the option "cpu" (docs/cpu.md)';

let warned = false;

/** Once a page: it is a validator, in plain loops. */
export function warnOfReference(reason: string): void {
  if (!warned) console.warn(`mobilenet-webgpu runs on its slow CPU reference (${reason}): ${advice}`);
  warned = true;
}

/** LiteRT.js, fetched with its first network. */
const laterLiteRt = (files: CpuFiles): CpuEngine => ({
  name: 'LiteRT.js',
  open: async (network) => (await import('./cpu/litert.ts')).liteRt(files).open(network),
});

/** What is measured of a model, and what it then does. */
export interface Host {
  /** After the passes, with one operation a node. */
  readonly graph: Graph;
  readonly gpu: TunedExecutor;
  /** Null where the model does not tune itself. */
  readonly tune: (() => Promise<TuningReport>) | null;
  /** Aborted by `dispose`. */
  readonly signal: AbortSignal;
}

/** Of one `load`: whether the CPU runs in place of the GPU, from the start or once both were measured. */
export class DeviceChoice {
  readonly #engine: CpuEngine;
  /** Whether nothing else may run. */
  readonly #required: boolean;
  readonly #cache: TuningCache | null;
  readonly #key: string;
  readonly #remembered: ReadonlyMap<string, DeviceRecord>;
  /** The file that the network was read from, until it is opened. */
  #file: Uint8Array | null = null;
  #network = '';

  private constructor(
    engine: CpuEngine,
    required: boolean,
    cache: TuningCache | null,
    key: string,
    remembered: ReadonlyMap<string, DeviceRecord>,
  ) {
    this.#engine = engine;
    this.#required = required;
    this.#cache = cache;
    this.#key = key;
    this.#remembered = remembered;
  }

  /**
   * `cpu`: as the option of `load`. `adapter` null: there is no GPU. `cache`: as the option `tuningCache`. Throws `DeviceError`
   * where an engine is required and there is none.
   */
  static async create(
    cpu: CpuEngine | CpuFiles | false,
    required: boolean,
    adapter: AdapterDescription | null,
    cache: TuningCache | null | undefined,
  ): Promise<DeviceChoice> {
    if (!cpu) throw new DeviceError(`there is no CPU engine: ${advice}`);
    const engine = typeof cpu === 'object' && 'open' in cpu ? (cpu as CpuEngine) : laterLiteRt(cpu);
    if (!adapter) return new DeviceChoice(engine, required, null, '', new Map());
    const store = cache === undefined ? (await import('./tuning/index.ts')).indexedDbCache() : cache;
    const key = devicesKey(adapter);
    return new DeviceChoice(engine, required, store, key, store ? await recallDevices(store, key) : new Map());
  }

  /** Says of which network it is: as loaded, and the TensorFlow Lite file that it was read from. */
  of(graph: Graph, file: Uint8Array | null): void {
    const { macs, parameters } = networkCost(graph);
    const shapes = graph.inputs.map(({ shape }) => shape);
    // Two networks of the same size take the same time.
    this.#network = [graph.nodes.length, macs, parameters, shapes, file ? 'file' : ''].join('/');
    this.#file = file;
  }

  /** Whether the CPU ran some network faster here. */
  get mayPreferCpu(): boolean {
    return [...this.#remembered.values()].some(({ device }) => device === 'wasm');
  }

  /** What was measured of this network another time. */
  get remembered(): DeviceRecord | null {
    return this.#remembered.get(this.#network) ?? null;
  }

  /** What that says; empty where nothing was measured. */
  get reason(): string {
    if (!this.remembered) return '';
    const { device, gpuMs, cpuMs } = this.remembered;
    const gpu = `${milliseconds(gpuMs)} on the GPU`;
    const times = cpuMs === null ? gpu : `${milliseconds(cpuMs)} on ${this.#engine.name} and ${gpu}`;
    return `${device === 'wasm' ? 'the CPU' : 'the GPU'} runs: here an inference took ${times}`;
  }

  /**
   * Opens the CPU's engine from the start: there is no GPU (`why`), or it is remembered to be slower. Null, with the reason,
   * where another device has to run. `graph` is the network after the passes. Throws as `CpuEngine.open` does where
   * nothing else may run.
   */
  async first(graph: Graph, why: string | null): Promise<{ cpu: CpuExecutor | null; reason: string }> {
    try {
      const cpu = await this.#engine.open({ graph, file: this.#file });
      this.#file = null;
      return { cpu, reason: why ?? this.reason };
    } catch (error) {
      if (this.#required || !(error instanceof MobileNetError)) throw error;
      return { cpu: null, reason: why === null ? error.message : `${why}; ${error.message}` };
    }
  }

  /**
   * Measures both, remembers which is faster, and has the GPU tuned where it goes on. `moved` is told what runs from now
   * on, where the CPU does. Throws the signal's reason, and what runs throw, once the GPU is tuned.
   */
  async settle({ graph, gpu, tune, signal }: Host, moved: (cpu: CpuExecutor | null, reason: string) => void) {
    const start = performance.now();
    const { judgeOutputs } = await import('./validate/compare.ts');
    const file = this.#file;
    const inputs = seededInputs(graph);
    let tuned: TuningReport | null = null;
    const tuneGpu = tune && (async () => (tuned ??= await tune()));
    const { cpu, reason, record } = await decide({
      software: gpu.gpu.adapter.software,
      runGpu: () => gpu.run(inputs, { signal }),
      tuneGpu,
      engine: this.#engine.name,
      openCpu: () => this.#engine.open({ graph, file }),
      runCpu: (opened) => opened.run(graph.inputs.map(({ name }) => inputs[name]!)),
      // Integers round where the graph computes in real numbers.
      differs: ({ integers }, found, expected) =>
        integers
          ? null
          : (judgeOutputs(graph, gpu.precision, found, expected, gpu.preferences.arithmetic).find(({ ok }) => !ok)
              ?.name ?? null),
    }).catch(async (fault) => {
      // It is told, but the GPU goes on, and is tuned.
      if (!signal.aborted) await tuneGpu?.().catch(() => {});
      throw fault;
    });
    this.#file = null;
    if (signal.aborted) cpu?.dispose();
    signal.throwIfAborted();
    moved(cpu, reason);
    if (record && this.#cache) await rememberDevice(this.#cache, this.#key, this.#network, record);
    if (!cpu) tuned = (await tuneGpu?.()) ?? (await gpu.tuned);
    return tuned ?? { ...noTuning, elapsedMs: performance.now() - start };
  }
}

const noTuning = { layers: [], remembered: 0, refused: [], complete: false, kernels: [] };
