import { buildArchitecture } from '../../src/architectures/index.ts';
import type { FileEnds } from '../../src/cpu/file-ends.ts';
import { openGpu } from '../../src/device/gpu.ts';
import { pollsSlowly as measurePolling } from '../../src/device/settle.ts';
import {
  type AdapterDescription,
  DeviceError,
  type Graph,
  isArchitectureId,
  type PlanOption,
  readGraph,
} from '../../src/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraphAsync } from '../../src/reference/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { type Judgement, judge, judgeQuantised, tolerances, worst } from '../compare.ts';
import type { BenchModel, TfliteOrigin } from '../engines/engine.ts';
import type { Setup } from '../engines/keys.ts';
import type { Burst, EngineFrame, FirstRun, WarmRun } from '../frame.ts';
import { benchInputs, hasQuantisedTensors, integersOf, storedEnds } from '../quantised.ts';
import { writeOnnx } from '../writers/onnx.ts';

export interface FirstSample extends Omit<FirstRun, 'outputs'> {
  readonly judgement: Judgement;
}

/** An engine for warm runs. */
export interface OpenedSample extends FirstSample {
  /** From its first result to the kernels of its warm runs; null: there is nothing to it. */
  readonly tuningMs: number | null;
}

export interface WarmSample extends Omit<WarmRun, 'outputs'> {
  readonly judgement: Judgement;
}

/** The judgement is that of the frame that is farthest from the reference. */
export interface BurstSample extends Omit<Burst, 'outputs'> {
  readonly judgement: Judgement;
}

export interface Preparation {
  /** An architecture id, or the address of a model file. */
  readonly source: string;
  readonly plan: PlanOption;
  readonly threads: number;
  /** The reference's outputs, where they are known already. */
  readonly expected?: Expected;
}

export interface Expected {
  readonly real: readonly Float32Array[];
  /** Of a quantised file on integers; null for others. */
  readonly integers: readonly Float32Array[] | null;
}

/** One model, and the engines that run it: each in a frame of this page. */
export class Workbench {
  readonly graph: Graph;
  readonly #model: BenchModel;
  readonly #inputs: readonly Float32Array[];
  readonly #expected: Expected;
  readonly #integers: Graph | null;
  readonly #tolerances: readonly number[];
  readonly #preparation: Preparation;
  readonly #frames = new Map<string, HTMLIFrameElement>();

  private constructor(
    graph: Graph,
    integers: Graph | null,
    file: TfliteFile,
    expected: Expected,
    preparation: Preparation,
  ) {
    this.graph = graph;
    const { quantisation: _, ...real } = runPasses(graph);
    this.#model = {
      graph: real,
      onnx: writeOnnx(real),
      tflite: file.bytes ?? writeTflite(real),
      tfliteOrigin: file.origin,
      ends: file.ends,
    };
    this.#integers = integers;
    const inputs = benchInputs(graph, integers);
    this.#inputs = graph.inputs.map(({ name }) => inputs[name]!);
    this.#expected = expected;
    this.#tolerances = tolerances(graph);
    this.#preparation = preparation;
  }

  /** Reads the model, writes it for every engine, and runs the reference on the graph as loaded, unless that is given. */
  static async prepare(
    preparation: Preparation,
    { signal, onLayer }: { signal?: AbortSignal; onLayer?: (done: number, total: number) => void } = {},
  ): Promise<Workbench> {
    const { source, expected } = preparation;
    const graph = isArchitectureId(source) ? buildArchitecture(source) : await readGraph(source);
    const file = await tfliteFile(source, graph);
    const integers = file.ends && integersOf(graph);
    const inputs = benchInputs(graph, integers);
    const found = expected ?? {
      real: await reference(graph, inputs, signal, onLayer),
      integers: integers && (await reference(integers, inputs, signal, onLayer)),
    };
    return new Workbench(graph, integers, file, found, preparation);
  }

  /** Whether it is a quantised file that is given to engines as it is. */
  get quantised(): boolean {
    return this.#integers !== null;
  }

  /** Opens an engine in a frame of its own and gets a first result from it. */
  async first(setup: Setup, nudged: boolean): Promise<FirstSample> {
    this.close(setup);
    const frame = document.createElement('iframe');
    frame.title = `${setup.name} on ${setup.device}`;
    frame.className = 'engine';
    frame.src = new URL('frame.html', document.baseURI).href;
    document.body.append(frame);
    this.#frames.set(idOf(setup), frame);
    const engine = await engineIn(frame);
    const { outputs, ...first } = await engine.open(setup, nudged, this.#modelFor(setup), this.#inputs, {
      plan: this.#preparation.plan,
      precision: setup.precision,
      setting: setup.setting,
      threads: this.#preparation.threads,
      runtime: new URL('runtime', document.baseURI).href,
      smallestOnnx: writeOnnx(smallestGraph),
    });
    return { ...first, judgement: this.#judge(setup, outputs) };
  }

  /** Opens an engine and has it get as fast as it gets. */
  async open(setup: Setup): Promise<OpenedSample> {
    const first = await this.first(setup, false);
    return { ...first, tuningMs: await (await this.#opened(setup)).settle(setup.tuned) };
  }

  /** One warm run of an opened engine. */
  async run(setup: Setup, nudged: boolean): Promise<WarmSample> {
    const { outputs, ...warm } = await (await this.#opened(setup)).run(nudged);
    return { ...warm, judgement: this.#judge(setup, outputs) };
  }

  /** So many frames of an opened engine, so many of them in flight at once. */
  async burst(setup: Setup, frames: number, inFlight: number, nudged: boolean): Promise<BurstSample> {
    const { outputs, ...burst } = await (await this.#opened(setup)).burst(frames, inFlight, nudged);
    return { ...burst, judgement: worst(outputs.map((frame) => this.#judge(setup, frame))) };
  }

  #judge({ name, precision }: Setup, outputs: readonly Float32Array[]): Judgement {
    const { real, integers } = this.#expected;
    if (!this.#integers || !integers || (name !== 'litert' && precision !== 'int8')) {
      return judge(outputs, real, this.#tolerances, precision);
    }
    const scales = this.#model.ends!.outputs.map(({ scale }) => scale);
    return judgeQuantised(outputs, integers, this.#integers, scales, precision !== 'int8');
  }

  /** ONNX Runtime takes its precision from the file. */
  #modelFor({ name, precision }: Setup): BenchModel {
    if (name !== 'onnxruntime-web' || precision !== 'float16') return this.#model;
    return { ...this.#model, onnx: writeOnnx(this.#model.graph, { half: true }) };
  }

  #opened(setup: Setup): Promise<EngineFrame> {
    const frame = this.#frames.get(idOf(setup));
    if (!frame) throw new Error(`${setup.name} (${setup.device}) is not open`);
    return engineIn(frame);
  }

  close(setup: Setup): void {
    this.#frames.get(idOf(setup))?.remove();
    this.#frames.delete(idOf(setup));
  }

  dispose(): void {
    for (const frame of this.#frames.values()) frame.remove();
    this.#frames.clear();
  }
}

const smallestGraph: Graph = {
  name: 'smallest',
  inputs: [{ name: 'input', shape: [1, 1, 1, 1] }],
  outputs: [{ name: 'output', tensor: 'output' }],
  nodes: [{ op: 'activation', name: 'relu', inputs: ['input'], output: 'output', activation: 'relu' }],
};

interface TfliteFile {
  readonly origin: TfliteOrigin;
  /** Null: to be written. */
  readonly bytes: Uint8Array | null;
  /** Of a quantised file that is given to engines as it is; null for others. */
  readonly ends: FileEnds | null;
}

/** The model's own file where it is a TensorFlow Lite file that its runtime computes as this engine does. */
async function tfliteFile(source: string, graph: Graph): Promise<TfliteFile> {
  if (isArchitectureId(source) || !/\.tflite$/i.test(new URL(source, document.baseURI).pathname)) {
    return { origin: 'written', bytes: null, ends: null };
  }
  const bytes = new Uint8Array(await (await fetch(source)).arrayBuffer());
  if (!hasQuantisedTensors(bytes)) return { origin: 'own', bytes, ends: null };
  const ends = integersOf(graph) && (await storedEnds(graph, bytes));
  return ends ? { origin: 'own', bytes, ends } : { origin: 'dequantised', bytes: null, ends: null };
}

const FRAME_PATIENCE_MS = 30_000;

const idOf = (setup: Setup): string => JSON.stringify(setup);

/** Asked for again and again: Firefox may report a frame as loaded when it has only its first, empty document. */
async function engineIn(frame: HTMLIFrameElement): Promise<EngineFrame> {
  const start = performance.now();
  for (;;) {
    const engine = (frame.contentWindow as (Window & typeof globalThis) | null)?.engineFrame;
    if (engine) return engine;
    if (performance.now() - start > FRAME_PATIENCE_MS) throw new Error('the frame of an engine did not load');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function reference(
  graph: Graph,
  inputs: Record<string, Float32Array>,
  signal: AbortSignal | undefined,
  onLayer: ((done: number, total: number) => void) | undefined,
): Promise<Float32Array[]> {
  const outputs = await runGraphAsync(graph, inputs, {
    ...(signal ? { signal } : {}),
    onNode: (_node, _output, index) => onLayer?.(index + 1, graph.nodes.length),
  });
  return graph.outputs.map(({ name }) => outputs[name]!.data);
}

/** What runs WebGPU in this browser; null where nothing does. */
export async function describeAdapter(): Promise<AdapterDescription | null> {
  try {
    const gpu = await openGpu();
    gpu.dispose();
    return gpu.adapter;
  } catch (error) {
    if (error instanceof DeviceError) return null;
    throw error;
  }
}

/** Whether this browser looks at its queue only now and then. */
export async function pollsSlowly(): Promise<boolean> {
  try {
    const gpu = await openGpu();
    try {
      return await measurePolling(gpu);
    } finally {
      gpu.dispose();
    }
  } catch (error) {
    if (error instanceof DeviceError) return false;
    throw error;
  }
}
