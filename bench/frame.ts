/**
 * One engine in a document of its own: its modules, its WebGPU calls and its downloads are nobody else's, while the main
 * thread and the time are those of the page around it.
 */
import type { BenchModel, EngineOptions, Session, Values } from './engines/engine.ts';
import { importEngine } from './engines/index.ts';
import type { Setup } from './engines/keys.ts';
import { nudgeWaits } from './nudge.ts';
import { countCalls } from './webgpu-calls.ts';

export interface FirstRun {
  readonly version: string;
  readonly note?: string;
  /** The engine's JavaScript and WebAssembly from the local server, its backend and device. */
  readonly startMs: number;
  readonly loadMs: number;
  readonly firstMs: number;
  /** The most frames in flight at once that `burst` may be asked for. */
  readonly inFlight: number;
  /** NHWC, in the graph's order. */
  readonly outputs: readonly Float32Array[];
  /** JavaScript and WebAssembly that this document fetched for the engine, as they are on disk. */
  readonly downloadBytes: number;
}

export interface WarmRun {
  readonly ms: number;
  /** Until the last submit returned; on the CPU all of `ms`. */
  readonly hostMs: number;
  readonly outputs: readonly Float32Array[];
  readonly dispatches: number;
  readonly submits: number;
  /** Submits of nothing, which only make the browser look at its queue: the engine's own and nudges. */
  readonly emptySubmits: number;
  /** GPU objects made. */
  readonly objects: number;
  /** The most bytes of GPU buffers and textures that existed at once meanwhile. */
  readonly gpuBytes: number;
}

/** Frames as fast as the engine takes them. */
export interface Burst {
  readonly frames: number;
  /** From the first upload to the last readback. */
  readonly ms: number;
  /** Of each frame. */
  readonly outputs: readonly (readonly Float32Array[])[];
}

export interface EngineFrame {
  /** `nudged`: an empty submit every few milliseconds while the engine waits for the GPU. */
  open(
    setup: Setup,
    nudged: boolean,
    model: BenchModel,
    inputs: readonly Float32Array[],
    options: EngineOptions,
  ): Promise<FirstRun>;
  /** Has an engine that was opened get as fast as it gets; returns how long that took, ms. Null: nothing was to do. */
  settle(tuned: boolean): Promise<number | null>;
  run(nudged: boolean): Promise<WarmRun>;
  burst(frames: number, inFlight: number, nudged: boolean): Promise<Burst>;
}

declare global {
  var engineFrame: EngineFrame | undefined;
}

const calls = countCalls();
const nudging = nudgeWaits();
let session: Session<Values> | undefined;
let prepared: readonly Values[] = [];

const restored = (outputs: readonly Values[]): readonly Float32Array[] =>
  session?.restore?.(outputs) ?? (outputs as readonly Float32Array[]);

/** Addresses fetched so far. */
function fetched(): Map<string, number> {
  const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  return new Map(entries.map(({ name, encodedBodySize }) => [name, encodedBodySize]));
}

globalThis.engineFrame = {
  async open(setup, nudged, foreignModel, foreignInputs, foreignOptions) {
    // Objects of the page around are of other classes than this document's.
    const model = structuredClone(foreignModel);
    const inputs = structuredClone(foreignInputs);
    const options = structuredClone(foreignOptions);
    nudging.on = nudged;
    const before = fetched();
    const start = performance.now();
    const engine = await importEngine(setup);
    const loader = await engine.start(options);
    const begin = performance.now();
    session = await loader.load(model);
    const loadMs = performance.now() - begin - (session.lostMs ?? 0);
    prepared = session.prepare?.(inputs) ?? inputs;
    const run = performance.now();
    const outputs = await session.run(prepared);
    const firstMs = loadMs + performance.now() - run;
    const downloads = [...fetched()].filter(([name]) => !before.has(name));
    return {
      version: engine.version,
      ...(session.note ? { note: session.note } : {}),
      startMs: begin - start,
      loadMs,
      firstMs,
      inFlight: session.inFlight ?? 1,
      outputs: restored(outputs),
      downloadBytes: downloads.reduce((sum, [, bytes]) => sum + bytes, 0),
    };
  },

  async settle(tuned) {
    if (!session?.settle) return null;
    const start = performance.now();
    await session.settle(tuned);
    return performance.now() - start;
  },

  async run(nudged) {
    if (!session) throw new Error('no engine was opened');
    nudging.on = nudged;
    const { dispatches, submits, emptySubmits, objects } = calls;
    calls.lastSubmit = 0;
    calls.peakBytes = calls.liveBytes;
    const start = performance.now();
    const outputs = await session.run(prepared);
    const ms = performance.now() - start;
    return {
      ms,
      hostMs: calls.lastSubmit > 0 ? calls.lastSubmit - start : ms,
      outputs: restored(outputs),
      dispatches: calls.dispatches - dispatches,
      submits: calls.submits - submits,
      emptySubmits: calls.emptySubmits - emptySubmits,
      objects: calls.objects - objects,
      gpuBytes: calls.peakBytes,
    };
  },

  async burst(frames, inFlight, nudged) {
    const engine = session;
    if (!engine) throw new Error('no engine was opened');
    nudging.on = nudged;
    const outputs: (readonly Values[])[] = [];
    let next = 0;
    const lane = async () => {
      while (next < frames) {
        const frame = next++;
        outputs[frame] = await engine.run(prepared);
      }
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: inFlight }, lane));
    return { frames, ms: performance.now() - start, outputs: outputs.map(restored) };
  },
};
