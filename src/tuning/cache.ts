import type { Gpu } from '../device/gpu.ts';
import { version } from '../version.ts';

/** Where the outcome of tuning is kept: `indexedDbCache()` in a page, a file in Node, or a caller's own. */
export interface TuningCache {
  get(key: string): Promise<unknown>;
  /** May drop what it holds under other keys: what another engine wrote (`engine`), what was written long ago. */
  set(key: string, value: TuningRecord | DevicesRecord): Promise<void>;
}

/** What is known of a kind of layer on an adapter. */
export interface LayerRecord {
  /** The fastest kernel so far; null: the one that runs unmeasured. */
  readonly kernel: string | null;
  /** Kernels that were measured, or cannot be used: they are not tried again. */
  readonly tried: readonly string[];
  /** Kernels with which a whole network gave other outputs: they are not used again. */
  readonly refused: readonly string[];
}

/** What is remembered of an adapter. */
export interface TuningRecord {
  readonly engine: string;
  /** Milliseconds of one dispatch of a certain layer: two adapters that are named alike differ in it. */
  readonly fingerprintMs: number;
  /** By layer, those used last at the end. */
  readonly layers: Readonly<Record<string, LayerRecord>>;
}

/** What ran a network faster on an adapter, and the medians that say so. */
export interface DeviceRecord {
  readonly device: 'webgpu' | 'wasm';
  readonly gpuMs: number;
  /** Null where the CPU was not measured. */
  readonly cpuMs: number | null;
}

/** What is remembered of an adapter and the CPU beside it, by network, those measured last at the end. */
export interface DevicesRecord {
  readonly engine: string;
  readonly devices: Readonly<Record<string, DeviceRecord>>;
}

/** Layers that a record holds at most, a dozen networks' worth: of more, those not used for the longest go. */
export const MOST_LAYERS = 300;

/** Limits that differ from GPU to GPU. */
const limits = [
  'maxBufferSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxStorageBufferBindingSize',
  'maxTextureDimension2D',
] as const;

/**
 * The key of an adapter in a browser. Firefox leaves an adapter's names empty, so its limits and features are in the
 * key, and a measured fingerprint is compared as well (`usableRecord`). Another version of the engine has the same key: its
 * record takes the place of what the one before left.
 */
export function cacheKey({ adapter, device }: Gpu, precision: string): string {
  const { vendor, architecture, description, software, features } = adapter;
  return JSON.stringify([
    'mobilenet-webgpu',
    globalThis.navigator?.userAgent ?? '',
    [vendor, architecture, description, software],
    [...features].sort(),
    limits.map((name) => device.limits[name]),
    precision,
  ]);
}

/** Two measurements of one adapter differ by less than this factor, also on a busy machine. */
const SAME_ADAPTER = 3;

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');

const isLayer = (value: unknown): value is LayerRecord => {
  const { kernel, tried, refused } = (value ?? {}) as Partial<LayerRecord>;
  return (kernel === null || typeof kernel === 'string') && isNames(tried) && isNames(refused);
};

/** The record, where it is whole, of this version and of this adapter; else null: it is dropped without a word. */
export function usableRecord(value: unknown, fingerprintMs: number): TuningRecord | null {
  if (typeof value !== 'object' || value === null) return null;
  const { engine, fingerprintMs: measured, layers } = value as Partial<TuningRecord>;
  if (engine !== version || typeof measured !== 'number' || typeof layers !== 'object' || layers === null) return null;
  if (!Object.values(layers).every(isLayer)) return null;
  const ratio = measured / fingerprintMs;
  return ratio < SAME_ADAPTER && ratio > 1 / SAME_ADAPTER ? { engine, fingerprintMs: measured, layers } : null;
}

/** A record with what a network's layers are known to need now, the oldest beyond `MOST_LAYERS` left out. */
export function withLayers(
  record: TuningRecord | null,
  fingerprintMs: number,
  used: ReadonlyMap<string, LayerRecord>,
): TuningRecord {
  const older = Object.entries(record?.layers ?? {}).filter(([key]) => !used.has(key));
  const layers = Object.fromEntries([...older, ...used].slice(-MOST_LAYERS));
  return { engine: version, fingerprintMs: record?.fingerprintMs ?? fingerprintMs, layers };
}
