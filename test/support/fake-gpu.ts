/** A WebGPU that computes nothing: what is written into its buffers and textures can be looked at. */

export interface FakeResource {
  readonly label: string;
  readonly bytes: Uint8Array;
  readonly destroyed: boolean;
}

export class FakeGpu {
  readonly resources: (FakeResource & { destroyed: boolean })[] = [];
  /** Bytes of weights written so far. */
  written = 0;
  /** What was written after it was destroyed. */
  readonly misused: string[] = [];
  destroyed = false;
  /** Every pipeline waits for it. */
  compiling: Promise<void> = Promise.resolve();
  adapters = true;

  /** For the option `gpu` of `load`. */
  get gpu(): GPU {
    const features = new Set<string>();
    const limits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 };
    const requestDevice = async () => this.device;
    return { requestAdapter: async () => (this.adapters ? { features, limits, requestDevice } : null) } as never;
  }

  /** For the option `gpuDevice`. */
  get device(): GPUDevice {
    const resource = (label: string, size: number) => {
      const made = {
        label,
        size,
        bytes: new Uint8Array(size),
        destroyed: false,
        destroy: () => {
          made.destroyed = true;
        },
      };
      this.resources.push(made);
      return made;
    };
    const write = (to: FakeResource, at: number, data: ArrayBufferView) => {
      if (to.destroyed) this.misused.push(to.label);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      to.bytes.set(bytes, at);
      if (/constants|weights/.test(to.label)) this.written += bytes.length;
    };
    return {
      features: new Set(),
      lost: new Promise(() => {}),
      queue: {
        onSubmittedWorkDone: async () => {},
        writeBuffer: write,
        writeTexture: ({ texture }: { texture: FakeResource }, data: ArrayBufferView) => write(texture, 0, data),
      },
      pushErrorScope() {},
      popErrorScope: async () => null,
      createBuffer: ({ label, size }: GPUBufferDescriptor) => resource(label!, size),
      createTexture: ({ label, size: [width, height], format }: { label: string; size: number[]; format: string }) =>
        Object.assign(resource(label, width! * height! * (format === 'rgba32float' ? 16 : 8)), {
          width,
          height,
          createView: () => ({}),
        }),
      createShaderModule: () => ({ getCompilationInfo: async () => ({ messages: [] }) }),
      createBindGroupLayout: () => ({}),
      createPipelineLayout: () => ({}),
      createBindGroup: () => ({}),
      createComputePipelineAsync: async () => {
        await this.compiling;
        return { getBindGroupLayout: () => ({}) };
      },
      destroy: () => {
        this.destroyed = true;
      },
    } as never;
  }

  get held(): readonly string[] {
    return this.resources.filter(({ destroyed }) => !destroyed).map(({ label }) => label);
  }

  /** What weights were written where. */
  get weights(): readonly (readonly [string, Uint8Array])[] {
    return this.resources
      .filter(({ label }) => /^(constants|uniforms|weights)/.test(label))
      .map(({ label, bytes }) => [label, bytes]);
  }
}
