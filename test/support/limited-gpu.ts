/** Devices that allow less than those that there are, in a page. */

type Limit = Exclude<keyof GPUSupportedLimits, '__brand'>;

/** What may be less than on every device of the usual feature level is checked here, as no browser does it. */
export type Limits = Readonly<Partial<Record<Limit, number>>>;

/** What WebGPU's compatibility mode promises, where that is less than WebGPU does. */
export const compatibility: Limits = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 128,
  maxComputeWorkgroupSizeX: 128,
  maxComputeWorkgroupSizeY: 128,
  maxStorageBuffersPerShaderStage: 8,
  maxUniformBufferBindingSize: 16384,
  maxTextureDimension1D: 4096,
  maxTextureDimension2D: 4096,
};

/** What WebGPU promises otherwise. */
export const usual: Limits = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxStorageBuffersPerShaderStage: 8,
  maxUniformBufferBindingSize: 65536,
  maxTextureDimension1D: 8192,
  maxTextureDimension2D: 8192,
};

/** Every one of an adapter's or a device's, which are accessors of their prototype. */
const numbersOf = (limits: GPUSupportedLimits): Record<string, number> =>
  Object.fromEntries(Object.keys(Object.getPrototypeOf(limits)).map((name) => [name, Number(limits[name as Limit])]));

/** The device, which says that it has no more than `limits`, and throws where more is asked of it. */
export function limited(device: GPUDevice, limits: Limits): GPUDevice {
  const most = (name: Limit): number => limits[name] ?? Number.POSITIVE_INFINITY;
  const check = (what: string, count: number, name: Limit) => {
    if (!(count <= most(name))) throw new Error(`${what}: ${count}, more than ${name} (${most(name)})`);
  };
  const { createBuffer, createTexture, createShaderModule, createBindGroupLayout, createPipelineLayout } = device;
  const { createBindGroup, createComputePipelineAsync } = device;
  const codes = new WeakMap<GPUShaderModule, string>();
  const entriesOf = new WeakMap<GPUBindGroupLayout, readonly GPUBindGroupLayoutEntry[]>();
  const groups = new WeakMap<GPUPipelineLayout, readonly GPUBindGroupLayout[]>();
  Object.defineProperty(device, 'limits', { value: { ...numbersOf(device.limits), ...limits } });
  return Object.assign(device, {
    createBuffer(descriptor: GPUBufferDescriptor) {
      check(`buffer ${descriptor.label}`, descriptor.size, 'maxBufferSize');
      return createBuffer.call(device, descriptor);
    },
    createTexture(descriptor: GPUTextureDescriptor) {
      const [width, height = 1] = [...(descriptor.size as Iterable<number>)] as [number, number?];
      check(`texture ${descriptor.label}`, Math.max(width, height), 'maxTextureDimension2D');
      return createTexture.call(device, descriptor);
    },
    createShaderModule(descriptor: GPUShaderModuleDescriptor) {
      const module = createShaderModule.call(device, descriptor);
      codes.set(module, descriptor.code);
      return module;
    },
    createBindGroupLayout(descriptor: GPUBindGroupLayoutDescriptor) {
      const entries = [...descriptor.entries];
      const stored = entries.filter(({ buffer }) => buffer?.type?.endsWith('storage'));
      check(`layout ${descriptor.label}`, stored.length, 'maxStorageBuffersPerShaderStage');
      const layout = createBindGroupLayout.call(device, descriptor);
      entriesOf.set(layout, entries);
      return layout;
    },
    createPipelineLayout(descriptor: GPUPipelineLayoutDescriptor) {
      const layout = createPipelineLayout.call(device, descriptor);
      groups.set(layout, [...descriptor.bindGroupLayouts] as GPUBindGroupLayout[]);
      return layout;
    },
    createBindGroup(descriptor: GPUBindGroupDescriptor) {
      for (const { binding, resource } of descriptor.entries) {
        if (!('buffer' in resource)) continue;
        const { buffer, offset = 0, size = buffer.size - offset } = resource;
        const type = entriesOf.get(descriptor.layout)?.find((entry) => entry.binding === binding)?.buffer?.type;
        const name = type === 'uniform' ? 'maxUniformBufferBindingSize' : 'maxStorageBufferBindingSize';
        check(`binding ${binding} of ${descriptor.label}`, size, name);
      }
      return createBindGroup.call(device, descriptor);
    },
    async createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor) {
      const { module, constants = {} } = descriptor.compute;
      const code = codes.get(module)!;
      const numberOf = (size: string) =>
        constants[size] ?? Number(new RegExp(`(?:const|override) ${size}[^=;]*= (\\d+)`).exec(code)?.[1] ?? size);
      const sizes = /@workgroup_size\(([^)]*)\)/
        .exec(code)![1]!
        .split(',')
        .map((size) => numberOf(size.trim()));
      const [x, y = 1] = sizes as [number, number?];
      check(`${descriptor.label}, workgroups`, x, 'maxComputeWorkgroupSizeX');
      check(`${descriptor.label}, workgroups`, y, 'maxComputeWorkgroupSizeY');
      const invocations = sizes.reduce((product, size) => product * size, 1);
      check(`${descriptor.label}, a workgroup`, invocations, 'maxComputeInvocationsPerWorkgroup');
      const pipeline = await createComputePipelineAsync.call(device, descriptor);
      const [layout] = groups.get(descriptor.layout as GPUPipelineLayout) ?? [];
      // What a pipeline gives is another object each time.
      return layout ? Object.assign(pipeline, { getBindGroupLayout: () => layout }) : pipeline;
    },
  });
}

/**
 * Has adapters offer no more than `limits` while `work` runs, and refuse a device that needs more. Those of compatibility mode's
 * limits are there for whoever asks for that mode only.
 */
export async function onLimited<T>(limits: Limits, work: (opened: readonly GPUDevice[]) => Promise<T>): Promise<T> {
  const old = limits.maxComputeInvocationsPerWorkgroup === compatibility.maxComputeInvocationsPerWorkgroup;
  const { requestAdapter } = GPU.prototype;
  const opened: GPUDevice[] = [];
  GPU.prototype.requestAdapter = async function (options) {
    const adapter = old && options?.featureLevel !== 'compatibility' ? null : await requestAdapter.call(this, options);
    if (!adapter) return adapter;
    const { requestDevice } = adapter;
    const offered: Readonly<Record<string, number>> = { ...numbersOf(adapter.limits), ...limits };
    Object.defineProperty(adapter, 'limits', { value: offered });
    adapter.requestDevice = async (descriptor) => {
      for (const [name, value] of Object.entries(descriptor?.requiredLimits ?? {})) {
        if (value !== undefined && value > offered[name]!) {
          throw new DOMException(`${name}: ${value} is more than ${offered[name]}`, 'OperationError');
        }
      }
      const device = limited(await requestDevice.call(adapter, descriptor), limits);
      opened.push(device);
      return device;
    };
    return adapter;
  };
  try {
    return await work(opened);
  } finally {
    GPU.prototype.requestAdapter = requestAdapter;
  }
}
