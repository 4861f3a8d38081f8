/** Devices that are less than what an adapter has, on which kernels run as well. */
import { type Gpu, openGpu } from '../../src/device/gpu.ts';

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
  return openGpu({ device: kind === '128-invocations' ? limited(device) : device });
}

/** The device, which refuses what compatibility mode refuses of workgroups. */
export function limited(device: GPUDevice): GPUDevice {
  const codes = new WeakMap<GPUShaderModule, string>();
  const { createShaderModule, createComputePipelineAsync } = device;
  return Object.assign(device, {
    createShaderModule(descriptor: GPUShaderModuleDescriptor) {
      const module = createShaderModule.call(device, descriptor);
      codes.set(module, descriptor.code);
      return module;
    },
    async createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor) {
      const { module, constants = {} } = descriptor.compute;
      const code = codes.get(module)!;
      const numberOf = (size: string) =>
        constants[size] ?? Number(new RegExp(`const ${size} = (\\d+)`).exec(code)?.[1] ?? size);
      const sizes = /@workgroup_size\(([^)]*)\)/.exec(code)![1]!.split(',');
      const invocations = sizes.reduce((product, size) => product * numberOf(size.trim()), 1);
      if (!(invocations <= INVOCATIONS)) throw new Error(`a workgroup has ${invocations} invocations (${sizes})`);
      return createComputePipelineAsync.call(device, descriptor);
    },
  });
}
