import type { AdapterDescription } from '../src/index.ts';

/** One engine on one device. Times in milliseconds; null: not measured. */
export interface Row {
  readonly name: string;
  readonly version: string;
  readonly device: 'webgpu' | 'wasm' | 'reference';
  /** Runtime, backend and device, before there is a model; not part of the times below. */
  readonly startMs: number | null;
  /** Model bytes in memory → ready to run. */
  readonly loadMs: number | null;
  /** Model bytes in memory → first output read back; contains `loadMs`. */
  readonly firstMs: number | null;
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
  readonly ok: boolean;
  readonly error?: string;
  /** How the engine ran the model, where it has several ways. */
  readonly note?: string;
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

export interface Results {
  readonly browser: string;
  readonly adapter: AdapterDescription | null;
  readonly model: string;
  /** This engine's, as they were asked for. */
  readonly plan: string;
  readonly precision: string;
  readonly threads: number;
  /** Whether each first result was measured in a fresh browser without shader caches. */
  readonly coldCaches: boolean;
  readonly engines: readonly Row[];
}

/** The value at share `q` of the sorted values, interpolated. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low]! + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!);
}
