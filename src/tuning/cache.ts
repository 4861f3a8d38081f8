import type { Gpu } from '../device/gpu.ts';
import { version } from '../version.ts';

/** Where the outcome of tuning is kept: `indexedDbCache()` in a page, a file in Node, or a caller's own. */
export interface TuningCache {
  get(key: string): Promise<unknown>;
  set(key: string, value: TuningRecord): Promise<void>;
}

/** What is remembered of an adapter. */
export interface TuningRecord {
  readonly engine: string;
  /** Milliseconds of one dispatch of a certain layer: two adapters that are named alike differ in it. */
  readonly fingerprintMs: number;
  /** Kernel names by layer. */
  readonly tuned: Readonly<Record<string, string>>;
}

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
 * key, and a measured fingerprint is compared as well (`usableRecord`).
 */
export function cacheKey({ adapter, device }: Gpu, precision: string): string {
  const { vendor, architecture, description, fallback, features } = adapter;
  return JSON.stringify([
    'mobilenet-webgpu',
    version,
    globalThis.navigator?.userAgent ?? '',
    [vendor, architecture, description, fallback],
    [...features].sort(),
    limits.map((name) => device.limits[name]),
    precision,
  ]);
}

/** Two measurements of one adapter differ by less than this factor, also on a busy machine. */
const SAME_ADAPTER = 3;

/** The record, where it is whole, of this version and of this adapter; else null: it is dropped without a word. */
export function usableRecord(value: unknown, fingerprintMs: number): TuningRecord | null {
  if (typeof value !== 'object' || value === null) return null;
  const { engine, fingerprintMs: measured, tuned } = value as Partial<TuningRecord>;
  if (engine !== version || typeof measured !== 'number' || typeof tuned !== 'object' || tuned === null) return null;
  if (!Object.values(tuned).every((name) => typeof name === 'string')) return null;
  const ratio = measured / fingerprintMs;
  return ratio < SAME_ADAPTER && ratio > 1 / SAME_ADAPTER ? { engine, fingerprintMs: measured, tuned } : null;
}
