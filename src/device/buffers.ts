import { DeviceError, OutOfMemoryError } from '../errors.ts';
import { checkSoon } from './gpu.ts';

/** `GPUBufferUsage`, which is not a global in Node. */
export const bufferUsage = {
  MAP_READ: 1,
  COPY_SRC: 4,
  COPY_DST: 8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  QUERY_RESOLVE: 0x200,
} as const;

/** A buffer of at least so many bytes, in sixteens: a uniform of a few words, or one of none, is bound as a `vec4` too. */
export const createBuffer = (
  device: Pick<GPUDevice, 'createBuffer'>,
  label: string,
  bytes: number,
  usage: GPUBufferUsageFlags,
): GPUBuffer => device.createBuffer({ label, size: Math.max(16, Math.ceil(bytes / 16) * 16), usage });

/** A buffer, a texture or a query set. */
interface Destroyable {
  destroy(): void;
}

/** Hands an object through, and destroys it should what is made together with it fail. */
export type Keep = <T extends Destroyable>(object: T) => T;

/**
 * Runs `work`, which gives commands to the device, in an error scope: what it finds invalid there. Nothing else tells of
 * it: the queue goes on, and buffers keep what they held before.
 */
export function inScope(device: GPUDevice, work: () => void): Promise<GPUError | null> {
  device.pushErrorScope('validation');
  let found: Promise<GPUError | null>;
  try {
    work();
  } finally {
    found = device.popErrorScope();
    // For who never asks, as something else went wrong.
    found.catch(() => {});
  }
  return found;
}

/**
 * Runs `create`, which makes GPU objects, inside error scopes. Throws `OutOfMemoryError`, `DeviceError` or `DeviceLostError` where the
 * device reports an error for them; without scopes such errors would surface only as wrong results. What `create` has
 * kept is destroyed before anything is thrown.
 */
export async function guarded<T>(device: GPUDevice, what: string, create: (keep: Keep) => T): Promise<T> {
  const kept: Destroyable[] = [];
  device.pushErrorScope('internal');
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  let result: T;
  let thrown: unknown;
  try {
    result = create((object) => {
      kept.push(object);
      return object;
    });
  } catch (error) {
    thrown = error;
  }
  const scopes = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()];
  try {
    const [memory, validation, internal] = await Promise.all(scopes);
    if (memory || thrown instanceof RangeError) {
      const detail = memory?.message ?? (thrown as Error).message;
      throw new OutOfMemoryError(
        `${what}: the GPU is out of memory (${detail}); use a smaller model or float16 weights`,
      );
    }
    if (thrown) throw thrown;
    const error = validation ?? internal;
    if (error) {
      await checkSoon(device, what);
      throw new DeviceError(`${what}: ${error.message}`);
    }
    return result!;
  } catch (error) {
    for (const object of kept) object.destroy();
    throw error;
  }
}
