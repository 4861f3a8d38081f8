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
  limits = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 };
  /** Submits so far that were of something. */
  submits = 0;
  /** Whether the device is out of memory for what has this label. */
  lacks: (label: string) => boolean = () => false;
  /** Called at each submit that is of something. */
  onSubmit: () => unknown = () => {};
  /** Whether the next submit is found invalid; its commands are not carried out then. */
  refusesSubmit = false;
  /** What it was asked to take in pictures with. */
  readonly calls: string[] = [];
  /** What it refuses: `importExternalTexture`, by throwing, and copies of frames of video, `frame`, by an error. */
  refused: readonly string[] = [];
  /** Every readback waits for it. */
  mapping: Promise<void> = Promise.resolve();

  /** Devices that were asked for. */
  opened = 0;
  /** Ends the latest device. */
  lose: (message: string) => void = () => {};

  /** For the option `gpu` of `load`. */
  get gpu(): GPU {
    const features = new Set<string>();
    const { limits } = this;
    const requestDevice = async () => {
      this.opened++;
      return this.device;
    };
    return { requestAdapter: async () => (this.adapters ? { features, limits, requestDevice } : null) } as never;
  }

  /** For the option `gpuDevice`. */
  get device(): GPUDevice {
    const scopes: { readonly filter: GPUErrorFilter; error: GPUError | null }[] = [];
    const report = (filter: GPUErrorFilter, message: string) => {
      const scope = scopes.filter((one) => one.filter === filter).at(-1);
      if (scope) scope.error ??= { message };
    };
    const resource = (label: string, size: number) => {
      if (this.lacks(label)) report('out-of-memory', `no memory for ${label}`);
      const made = {
        label,
        size,
        bytes: new Uint8Array(size),
        destroyed: false,
        /** What waits for a mapping. */
        waiting: new Set<() => void>(),
        destroy: () => {
          made.destroyed = true;
          for (const end of made.waiting) end();
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
    const pass = { setPipeline() {}, setBindGroup() {}, dispatchWorkgroups() {}, end() {} };
    return {
      features: new Set(),
      limits: this.limits,
      lost: new Promise((resolve) => {
        this.lose = (message) => resolve({ reason: 'unknown', message });
      }),
      queue: {
        submit: (commands: readonly (readonly (() => void)[])[]) => {
          if (commands.length === 0) return;
          this.submits++;
          this.onSubmit();
          if (this.refusesSubmit) report('validation', 'the submit was refused');
          else for (const command of commands.flat()) command();
          this.refusesSubmit = false;
        },
        onSubmittedWorkDone: async () => {},
        writeBuffer: write,
        copyExternalImageToTexture: ({ source }: { source: object }, _to: unknown, [width, height]: number[]) => {
          this.calls.push(`copyExternalImageToTexture ${width} × ${height}`);
          if ('displayWidth' in source && this.refused.includes('frame')) report('validation', 'no frames');
        },
        writeTexture: ({ texture }: { texture: FakeResource }, data: ArrayBufferView) => write(texture, 0, data),
      },
      pushErrorScope: (filter: GPUErrorFilter) => scopes.push({ filter, error: null }),
      popErrorScope: async () => scopes.pop()!.error,
      createCommandEncoder: () => {
        const commands: (() => void)[] = [];
        return {
          beginComputePass: () => pass,
          copyBufferToBuffer: (from: FakeResource, at: number, to: FakeResource, offset: number, bytes: number) =>
            commands.push(() => to.bytes.set(from.bytes.subarray(at, at + bytes), offset)),
          finish: () => commands,
        };
      },
      createBuffer: ({ label, size, usage }: GPUBufferDescriptor) => {
        const made = resource(label!, size);
        return Object.assign(made, {
          usage,
          mapAsync: () =>
            new Promise<void>((resolve, reject) => {
              const end = () => reject(new DOMException('the buffer was destroyed', 'AbortError'));
              made.waiting.add(end);
              this.mapping.then(resolve, reject).finally(() => made.waiting.delete(end));
            }),
          getMappedRange: (offset = 0, bytes = size - offset) => made.bytes.slice(offset, offset + bytes).buffer,
          unmap() {},
        });
      },
      createTexture: ({ label, size: [width, height], format }: { label: string; size: number[]; format: string }) =>
        Object.assign(resource(label, width! * height! * (format === 'rgba32float' ? 16 : 8)), {
          width,
          height,
          createView: () => ({}),
        }),
      importExternalTexture: () => {
        this.calls.push('importExternalTexture');
        if (this.refused.includes('importExternalTexture')) throw new DOMException('no video', 'NotSupportedError');
        return {};
      },
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
