import { openGpu } from '../../src/device/gpu.ts';
import { PACKED_DOT } from '../../src/kernels/kernel.ts';
import { probeIntegers } from '../../src/scheduler/integer-probe.ts';

/** What is found of a fresh device. */
export async function probe() {
  const gpu = await openGpu();
  try {
    await probeIntegers(gpu);
    return { found: gpu.adapter.features, listed: navigator.gpu.wgslLanguageFeatures.has(PACKED_DOT) };
  } finally {
    gpu.dispose();
  }
}
