/** Runs in the browser: one engine a page. */
import {
  buildArchitecture,
  type Graph,
  isArchitectureId,
  type PlanKind,
  readGraph,
  seededInputs,
} from '../src/index.ts';
import { runPasses } from '../src/passes/index.ts';
import type { Engine, Session } from './engines/engine.ts';

export interface EngineKey {
  readonly name: string;
  readonly device: 'webgpu' | 'wasm';
}

export interface LoadResult {
  readonly version: string;
  /** Until the engine says that it is ready to run. */
  readonly loadMs: number;
  /** Until the first output is back; `loadMs` is part of it. */
  readonly firstMs: number;
  readonly output: Float32Array;
  /** Of a first inference. */
  readonly dispatches: number;
  readonly submits: number;
  /** Bytes of buffers and textures asked for. */
  readonly gpuBytes: number;
}

export interface RunResult {
  readonly ms: number;
  /** Until the last submit of the run returned; all of `ms` where nothing is submitted. */
  readonly hostMs: number;
}

async function engineOf({ name, device }: EngineKey, plan: PlanKind): Promise<Engine> {
  if (name === 'mobilenet-webgpu') return (await import('./engines/mobilenet-webgpu.ts')).mobilenetWebgpu(plan);
  if (name === 'tfjs') {
    const { tfjsWebgpu, tfjsWasm } = await import('./engines/tfjs.ts');
    return device === 'webgpu' ? tfjsWebgpu : tfjsWasm;
  }
  throw new Error(`there is no engine "${name}"`);
}

const counts = { dispatches: 0, submits: 0, gpuBytes: 0, lastSubmit: 0 };

/** Counts what an engine asks of WebGPU; the wrappers cost well below a microsecond a call. */
function countCalls(): void {
  const wrap = <O extends object>(
    prototype: O,
    method: keyof O & string,
    after: (args: never[], result: unknown) => void,
  ) => {
    const original = prototype[method] as (...args: never[]) => unknown;
    (prototype as Record<string, unknown>)[method] = function (this: unknown, ...args: never[]) {
      const result = original.apply(this, args);
      after(args, result);
      return result;
    };
  };
  wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => counts.dispatches++);
  wrap(GPUQueue.prototype, 'submit', ([buffers]: { length: number }[]) => {
    // Empty submits only make Firefox look at its queue.
    if (buffers!.length === 0) return;
    counts.submits++;
    counts.lastSubmit = performance.now();
  });
  wrap(GPUDevice.prototype, 'createBuffer', (_args, buffer) => {
    counts.gpuBytes += (buffer as GPUBuffer).size;
  });
  wrap(GPUDevice.prototype, 'createTexture', (_args, texture) => {
    const { width, height, depthOrArrayLayers } = texture as GPUTexture;
    counts.gpuBytes += width * height * depthOrArrayLayers * 16;
  });
}

let session: Session;
let input: Float32Array;

/** Loads an engine and runs it once. Reading the model, and the engine's own code, are not timed. */
export async function first({
  engine: key,
  source,
  plan,
}: {
  engine: EngineKey;
  source: string;
  plan: PlanKind;
}): Promise<LoadResult> {
  const graph: Graph = isArchitectureId(source) ? buildArchitecture(source) : await readGraph(source);
  if (graph.inputs.length !== 1)
    throw new Error(`${graph.name} has ${graph.inputs.length} inputs; the bench takes one`);
  input = Object.values(seededInputs(graph))[0]!;
  const engine = await engineOf(key, plan);
  countCalls();
  const start = performance.now();
  // Our own engine folds by itself; peers get what their converters would have folded.
  session = await engine.load(key.name === 'mobilenet-webgpu' ? graph : runPasses(graph));
  const loadMs = performance.now() - start;
  const output = await session.run(input);
  const firstMs = performance.now() - start;
  const { gpuBytes } = counts;
  const before = { ...counts };
  await session.run(input);
  return {
    version: engine.version,
    loadMs,
    firstMs,
    output,
    dispatches: counts.dispatches - before.dispatches,
    submits: counts.submits - before.submits,
    gpuBytes,
  };
}

/** One warm run. */
export async function run(): Promise<RunResult> {
  counts.lastSubmit = 0;
  const start = performance.now();
  await session.run(input);
  const ms = performance.now() - start;
  return { ms, hostMs: counts.lastSubmit > 0 ? counts.lastSubmit - start : ms };
}
