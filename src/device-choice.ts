/** GPU or CPU: which runs a network faster here is measured once, and remembered. */
import type { CpuEngine, CpuExecutor } from './cpu/engine.ts';
import type { AdapterDescription } from './device/gpu.ts';
import { MobileNetError } from './errors.ts';
import { networkCost } from './graph/cost.ts';
import type { Graph } from './graph/graph.ts';
import { seededInputs } from './graph/random-inputs.ts';
import type { Precision } from './planner/plan.ts';
import type { DeviceRecord, TuningCache } from './tuning/cache.ts';
import { devicesKey, recallDevices, rememberDevice } from './tuning/device-memory.ts';

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
  try {
    cpu = await openCpu();
    const wrong = differs(cpu, await runCpu(cpu), expected);
    if (wrong !== null) {
      cpu.dispose();
      return stay(`the GPU runs: on ${engine} the output "${wrong}" is another`, null);
    }
    const opened = cpu;
    const cpuMs = await medianMs(() => runCpu(opened), now);
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
    if (cpu || !(error instanceof MobileNetError)) throw error;
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

/** Of one `load`: whether the CPU runs in place of the GPU, from the start or once both were measured. */
export class DeviceChoice {
  readonly #engine: CpuEngine;
  /** Whether nothing else may run. */
  readonly #required: boolean;
  readonly #cache: TuningCache | null;
  readonly #key: string;
  readonly #remembered: ReadonlyMap<string, DeviceRecord>;
  /** The file that the network was read from, until it is opened. */
  file: Uint8Array | null = null;

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

  /** `adapter` null: there is no GPU. `cache`: as the option `tuningCache` of `load`. */
  static async create(
    engine: CpuEngine,
    required: boolean,
    adapter: AdapterDescription | null,
    cache: TuningCache | null | undefined,
  ): Promise<DeviceChoice> {
    if (!adapter) return new DeviceChoice(engine, required, null, '', new Map());
    const store = cache === undefined ? (await import('./tuning/index.ts')).indexedDbCache() : cache;
    const key = devicesKey(adapter);
    return new DeviceChoice(engine, required, store, key, store ? await recallDevices(store, key) : new Map());
  }

  /** Whether the CPU ran some network faster here. */
  get mayPreferCpu(): boolean {
    return [...this.#remembered.values()].some(({ device }) => device === 'wasm');
  }

  /** What was measured of this network another time. */
  remembered(graph: Graph): DeviceRecord | null {
    return this.#remembered.get(networkOf(graph, this.file)) ?? null;
  }

  /**
   * Opens the CPU's engine where there is no GPU (`why`), or where it is remembered to be faster. Null, with the reason,
   * where another device has to run. `graph` is the network after the passes. Throws as `CpuEngine.open` does where
   * nothing else may run.
   */
  async first(graph: Graph, why: string | null): Promise<{ cpu: CpuExecutor | null; reason: string }> {
    const record = why === null ? this.remembered(graph) : null;
    if (why === null && record?.device !== 'wasm')
      return { cpu: null, reason: record ? told(record, this.#engine) : '' };
    try {
      const cpu = await this.#engine.open({ graph, file: this.file });
      this.file = null;
      return { cpu, reason: record ? told(record, this.#engine) : why! };
    } catch (error) {
      if (this.#required || !(error instanceof MobileNetError)) throw error;
      return { cpu: null, reason: why === null ? '' : `${why}; ${error.message}` };
    }
  }

  /** Measures both and remembers which is faster. Inputs are seeded; `precision` is the GPU's. */
  async settle(graph: Graph, precision: Precision, gpu: Pick<Contest, 'software' | 'runGpu' | 'tuneGpu'>) {
    const { judgeOutputs } = await import('./validate/compare.ts');
    const { file } = this;
    const inputs = seededInputs(graph);
    const decision = await decide({
      ...gpu,
      engine: this.#engine.name,
      openCpu: () => this.#engine.open({ graph, file }),
      runCpu: (cpu) => cpu.run(graph.inputs.map(({ name }) => inputs[name]!)),
      // Integers round where the graph computes in real numbers.
      differs: ({ integers }, found, expected) =>
        integers ? null : (judgeOutputs(graph, precision, found, expected).find(({ ok }) => !ok)?.name ?? null),
    });
    if (decision.record && this.#cache) {
      await rememberDevice(this.#cache, this.#key, networkOf(graph, file), decision.record);
    }
    this.file = null;
    return decision;
  }
}

const told = ({ device, gpuMs, cpuMs }: DeviceRecord, { name }: CpuEngine): string => {
  const gpu = `${milliseconds(gpuMs)} on the GPU`;
  const times = cpuMs === null ? gpu : `${milliseconds(cpuMs)} on ${name} and ${gpu}`;
  return `${device === 'wasm' ? 'the CPU' : 'the GPU'} runs: here an inference took ${times}`;
};

/** Two networks of the same shape take the same time. */
function networkOf(graph: Graph, file: Uint8Array | null): string {
  const { macs, parameters } = networkCost(graph);
  return [graph.nodes.length, macs, parameters, graph.inputs.map(({ shape }) => shape), file ? 'file' : ''].join('/');
}
