import { type LoadOptions, load, type Model, type ModelSource } from '../../src/index.ts';
import { cpuFiles } from '../ui/cpu-files.ts';

/** The network on the engine for the CPU, or why it is not there. */
export async function openCpuEngine(
  source: ModelSource,
  options: LoadOptions,
): Promise<{ readonly model: Model; readonly reason: '' } | { readonly model: null; readonly reason: string }> {
  try {
    return { model: await load(source, { ...options, device: 'wasm', cpu: cpuFiles }), reason: '' };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { model: null, reason: (error as Error).message };
  }
}
