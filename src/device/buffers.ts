import { DeviceError, OutOfMemoryError } from '../errors.ts';

/**
 * Runs `create`, which makes GPU objects, inside error scopes. Throws `OutOfMemoryError` or `DeviceError` where the
 * device reports an error for them; without scopes such errors would surface only as wrong results.
 */
export async function guarded<T>(device: GPUDevice, what: string, create: () => T): Promise<T> {
  device.pushErrorScope('internal');
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  let result: T;
  let thrown: unknown;
  try {
    result = create();
  } catch (error) {
    thrown = error;
  }
  const [memory, validation, internal] = await Promise.all([
    device.popErrorScope(),
    device.popErrorScope(),
    device.popErrorScope(),
  ]);
  if (memory || thrown instanceof RangeError) {
    const detail = memory?.message ?? (thrown as Error).message;
    throw new OutOfMemoryError(`${what}: the GPU is out of memory (${detail}); use a smaller model or float16 weights`);
  }
  if (thrown) throw thrown;
  const error = validation ?? internal;
  if (error) throw new DeviceError(`${what}: ${error.message}`);
  return result!;
}
