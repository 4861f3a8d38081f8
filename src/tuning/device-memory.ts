import type { AdapterDescription } from '../device/gpu.ts';
import { version } from '../version.ts';
import type { DeviceRecord, DevicesRecord, TuningCache } from './cache.ts';

const MOST_NETWORKS = 100;

/** The key of an adapter in a browser: `cacheKey` without what only an open device tells. */
export const devicesKey = ({ vendor, architecture, description, software }: AdapterDescription): string =>
  JSON.stringify([
    'mobilenet-webgpu devices',
    globalThis.navigator?.userAgent ?? '',
    [vendor, architecture, description, software],
  ]);

const isRecord = (value: unknown): value is DeviceRecord => {
  const { device, gpuMs, cpuMs } = (value ?? {}) as Partial<DeviceRecord>;
  if (device !== 'webgpu' && device !== 'wasm') return false;
  return typeof gpuMs === 'number' && (cpuMs === null || typeof cpuMs === 'number');
};

/** What is remembered under a key, where it is whole and of this version; else nothing: it is dropped without a word. */
export async function recallDevices(cache: TuningCache, key: string): Promise<ReadonlyMap<string, DeviceRecord>> {
  const value = (await cache.get(key).catch(() => null)) as Partial<DevicesRecord> | null | undefined;
  const { engine, devices } = value ?? {};
  if (engine !== version || typeof devices !== 'object' || devices === null) return new Map();
  return new Map(Object.entries(devices).filter(([, record]) => isRecord(record)));
}

/** Remembers one more network. A cache that fails is as good as none. */
export async function rememberDevice(
  cache: TuningCache,
  key: string,
  network: string,
  record: DeviceRecord,
): Promise<void> {
  // Another page may have written meanwhile.
  const others = [...(await recallDevices(cache, key))].filter(([other]) => other !== network);
  const devices = Object.fromEntries([...others, [network, record] as const].slice(-MOST_NETWORKS));
  await cache.set(key, { engine: version, devices }).catch(() => {});
}
