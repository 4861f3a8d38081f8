import type { AdapterDescription } from '../src/index.ts';
import { isOurs } from './engines/keys.ts';

/** What a setting of an engine took when it was tried; null: it did not run. */
export interface Tried {
  readonly firstMs: number;
  readonly medianMs: number | null;
}

/** One engine on one device. Times in milliseconds; null: not measured. */
export interface Row {
  readonly name: string;
  readonly version: string;
  readonly device: 'webgpu' | 'wasm' | 'reference';
  /** `float16`: what the engine calls half precision. */
  readonly precision: string;
  /** An empty submit every few milliseconds while it waits for the GPU: by this engine itself, by the bench for a peer. */
  readonly nudged: boolean;
  /** After kernels were measured; false: as shipped. */
  readonly tuned: boolean;
  /** The fastest of the settings tried, for warm runs and for first results; '' where there is one only. */
  readonly setting: string;
  readonly firstSetting: string;
  /** Runtime, backend and device, before there is a model; not part of the times below. */
  readonly startMs: number | null;
  /** Model bytes in memory → ready to run. */
  readonly loadMs: number | null;
  /** Model bytes in memory → first output read back; contains `loadMs`. The median of `firstRuns`. */
  readonly firstMs: number | null;
  readonly firstRuns: readonly number[];
  /** From a first result to the kernels that warm runs have: those shipped, or those measured. */
  readonly tuningMs: number | null;
  /** A warm run with upload and readback. */
  readonly medianMs: number | null;
  readonly p95Ms: number | null;
  readonly minMs: number | null;
  /** Median of the time until the last submit of a run returned; on the CPU the whole run. */
  readonly hostMs: number | null;
  /** Frames a second, input to output: one after another, or several in flight where that is faster. */
  readonly framesPerSecond: number | null;
  /** How many were in flight at once then; 1: one after another. */
  readonly framesInFlight: number | null;
  /** Largest difference to the reference of any value of any run. */
  readonly maxAbsDiff: number | null;
  readonly nmse: number | null;
  /** Of a quantised file: the largest difference to the reference on integers, in steps of the output. */
  readonly maxSteps?: number;
  readonly ok: boolean;
  /** Why not; left out while the row is not measured yet. */
  readonly error?: string;
  /** How the engine ran the model, where it has several ways; settings that did not run. */
  readonly note?: string;
  /** Where the engine has several settings; each was tried with nudging where that helps. */
  readonly tried?: Readonly<Record<string, Tried>>;
  /** JavaScript and WebAssembly, uncompressed. */
  readonly downloadBytes: number | null;
  /** The most bytes of buffers and textures that existed at once in a warm run; collected garbage counts on. */
  readonly gpuBytes: number | null;
  /** Of one warm run. */
  readonly dispatches: number | null;
  readonly submits: number | null;
  readonly gpuObjects: number | null;
  /** Warm runs that were timed. */
  readonly runs: number;
}

/** As `Results.date` has it. */
export const today = (): string => new Date().toISOString().slice(0, 10);

export interface Results {
  /** The day, as 2026-12-31. */
  readonly date: string;
  readonly browser: string;
  readonly adapter: AdapterDescription | null;
  readonly model: string;
  /** This engine's, as they were asked for. */
  readonly plan: string;
  readonly precision: string;
  readonly threads: number;
  /** Whether each first result was measured in a fresh browser without shader caches. */
  readonly coldCaches: boolean;
  /** Whether the browser looks at its queue only now and then. */
  readonly pollsSlowly: boolean;
  readonly engines: readonly Row[];
}

/** This engine, and the fastest peer on WebGPU, nudged or not, at its fastest setting. */
export interface Rivalry {
  readonly ours: Row;
  readonly rival: Row;
  /** This engine's time over the peer's. */
  readonly ratio: number;
}

/** By a time: that of this engine as it is used, tuned where that was measured. Null: one of them is missing. */
export function rivalry(rows: readonly Row[], time: 'medianMs' | 'firstMs'): Rivalry | null {
  const timed = rows.filter((row) => row.ok && row.device === 'webgpu' && row[time] !== null);
  const [engine, peers] = [timed.filter(isOurs), timed.filter((row) => !isOurs(row))];
  const ours = engine.find(({ tuned }) => tuned) ?? engine[0];
  const [rival] = peers.sort((a, b) => a[time]! - b[time]!);
  return ours && rival ? { ours, rival, ratio: ours[time]! / rival[time]! } : null;
}

/** The value at share `q` of the sorted values, interpolated. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!);
}
