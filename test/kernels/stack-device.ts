/** Devices that are less than what an adapter has, on which kernels run as well. */
import { type Gpu, openGpu } from '../../src/device/gpu.ts';
import { limited } from '../support/limited-gpu.ts';

/**
 * `full`: as the engine opens it. `default-limits`: nothing is asked for. `compatibility`: of the feature level for older
 * graphics APIs. `128-invocations`: refuses pipelines with more of them in a workgroup.
 */
export type StackDevice = 'full' | 'default-limits' | 'compatibility' | '128-invocations';

const INVOCATIONS = 128;

export async function openStackDevice(kind: StackDevice): Promise<Gpu> {
  if (kind === 'full') return openGpu();
  const options = kind === 'compatibility' ? { featureLevel: kind } : {};
  const adapter = await navigator.gpu.requestAdapter(options);
  if (!adapter) throw new Error(`no adapter for ${JSON.stringify(options)}`);
  const device = await adapter.requestDevice();
  const { maxComputeInvocationsPerWorkgroup: invocations, maxStorageBufferBindingSize: binding } = device.limits;
  if (kind === 'compatibility' && invocations !== INVOCATIONS) {
    throw new Error(`${kind}: ${invocations} invocations a workgroup, expected ${INVOCATIONS}`);
  }
  if (kind === 'default-limits' && (invocations !== 256 || binding !== 2 ** 27 || device.features.has('shader-f16'))) {
    throw new Error(
      `the device has ${invocations} invocations and bindings of ${binding} bytes, not the default limits`,
    );
  }
  return openGpu({
    device: kind === '128-invocations' ? limited(device, { maxComputeInvocationsPerWorkgroup: INVOCATIONS }) : device,
  });
}
