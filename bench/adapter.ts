import { openGpu } from '../src/device/gpu.ts';
import type { AdapterDescription } from '../src/index.ts';

/** In the browser: what runs WebGPU here. */
export async function describeAdapter(): Promise<AdapterDescription> {
  const gpu = await openGpu();
  gpu.dispose();
  return gpu.adapter;
}
