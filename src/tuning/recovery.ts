/** Another device in the place of one that was lost. */
import type { Gpu } from '../device/gpu.ts';
import { DeviceError, DeviceLostError, ShaderError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';

/** How often another one is asked for. */
const MOST_LOSSES = 3;
/** Before another device is asked for in vain once more: a browser needs a moment to start its GPU process again. */
const PAUSE_MS = 200;

/** Features that shaders are compiled with. */
const ofShaders: readonly string[] = ['subgroups', 'shader-f16'];

/**
 * What `make` makes on a device in the place of a lost one, or of one lost in turn; where a shader was refused, on the same one
 * without the features that shaders use, which some compilers have in name only. Throws `failure`, for which that is done,
 * where it is neither or no other device may be opened.
 */
export async function replace<T>(
  lost: Gpu,
  failure: unknown,
  make: (gpu: Gpu) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const trusted = lost.features.filter((feature) => !ofShaders.includes(feature));
  if (failure instanceof ShaderError && trusted.length < lost.features.length) {
    lost.features = trusted;
    return make(lost);
  }
  if (!(failure instanceof DeviceLostError) || !lost.reopen) throw failure;
  lost.dispose();
  let last: unknown = failure;
  for (let attempt = 0; attempt < MOST_LOSSES; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 4 ** (attempt - 1)));
    signal?.throwIfAborted();
    let gpu: Gpu | null = null;
    try {
      gpu = await lost.reopen();
      return await make(gpu);
    } catch (error) {
      gpu?.dispose();
      if (gpu && !(error instanceof DeviceLostError)) throw error;
      last = error;
    }
  }
  if (!(last instanceof DeviceError)) throw last;
  throw new DeviceLostError(`${failure.message}; there was none: ${last.message}`, { cause: last });
}

/** A network with its weights, to be built again. Throws `DeviceLostError` where they were not kept and cannot be had again. */
export async function wholeAfter(loss: DeviceLostError, network: { whole(): Promise<Graph> }): Promise<Graph> {
  try {
    return await network.whole();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceLostError(`${loss.message}; the weights cannot be had again (keepWeights: false): ${why}`, {
      cause,
    });
  }
}

/** What a plan depends on: adapters of one kind run the same. */
export const kindOf = ({ adapter, device: { limits } }: Gpu): string =>
  JSON.stringify([adapter, limits.maxBufferSize, limits.maxStorageBufferBindingSize]);
