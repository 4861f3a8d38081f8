import { openGpu } from '../../src/device/gpu.ts';
import { PACKED_DOT } from '../../src/kernels/kernel.ts';
import { probeIntegers } from '../../src/scheduler/integer-probe.ts';
import { cacheKey } from '../../src/tuning/cache.ts';

/** What is found of a fresh device. */
export async function probe() {
  const gpu = await openGpu();
  try {
    const key = cacheKey(gpu, 'int8');
    await probeIntegers(gpu);
    return {
      keyStays: cacheKey(gpu, 'int8') === key,
      found: gpu.features,
      listed: navigator.gpu.wgslLanguageFeatures.has(PACKED_DOT),
    };
  } finally {
    gpu.dispose();
  }
}
