import { buildArchitecture } from '../../src/architectures/index.ts';
import { openGpu } from '../../src/device/gpu.ts';
import { pollsSlowly as measurePolling } from '../../src/device/settle.ts';
import {
  type AdapterDescription,
  DeviceError,
  type Graph,
  isArchitectureId,
  type PlanOption,
  readGraph,
  seededInputs,
} from '../../src/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraphAsync } from '../../src/reference/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { type Judgement, judge, tolerances, worst } from '../compare.ts';
import type { BenchModel, TfliteOrigin } from '../engines/engine.ts';
import type { Setup } from '../engines/keys.ts';
import type { Burst, EngineFrame, FirstRun, WarmRun } from '../frame.ts';
import { hasQuantisedTensors } from '../quantised.ts';
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
  readonly expected?: readonly Float32Array[];
}

/** One model, and the engines that run it: each in a frame of this page. */
export class Workbench {
  readonly graph: Graph;
  readonly #model: BenchModel;
  readonly #inputs: readonly Float32Array[];
  readonly #expected: readonly Float32Array[];
  readonly #tolerances: readonly number[];
  readonly #preparation: Preparation;
  readonly #frames = new Map<string, HTMLIFrameElement>();

  private constructor(graph: Graph, file: TfliteFile, expected: readonly Float32Array[], preparation: Preparation) {
    this.graph = graph;
    const prepared = runPasses(graph);
    this.#model = {
      graph: prepared,
      onnx: writeOnnx(prepared),
      tflite: file.bytes ?? writeTflite(prepared),
      tfliteOrigin: file.origin,
    };
    this.#inputs = graph.inputs.map(({ name }) => seededInputs(graph)[name]!);
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
    const found = expected ?? (await reference(graph, signal, onLayer));
    return new Workbench(graph, await tfliteFile(source), found, preparation);
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

  #judge({ precision }: Setup, outputs: readonly Float32Array[]): Judgement {
    return judge(outputs, this.#expected, this.#tolerances, precision);
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
}

/** The model's own file where it is a TensorFlow Lite file that its runtime computes as this engine does. */
async function tfliteFile(source: string): Promise<TfliteFile> {
  if (isArchitectureId(source) || !/\.tflite$/i.test(new URL(source, document.baseURI).pathname)) {
    return { origin: 'written', bytes: null };
  }
  const bytes = new Uint8Array(await (await fetch(source)).arrayBuffer());
  return hasQuantisedTensors(bytes) ? { origin: 'dequantised', bytes: null } : { origin: 'own', bytes };
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
  signal: AbortSignal | undefined,
  onLayer: ((done: number, total: number) => void) | undefined,
): Promise<Float32Array[]> {
  const outputs = await runGraphAsync(graph, seededInputs(graph), {
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
