/** What a page asks of WebGPU, counted at the calls themselves. */
export interface WebGpuCalls {
  dispatches: number;
  /** Submits of at least one command buffer: empty ones only make a browser look at its queue. */
  submits: number;
  /** Submits of none. */
  emptySubmits: number;
  /** Buffers, textures, bind groups and pipelines made. */
  objects: number;
  /** When the last submit returned (`performance.now`); 0 where there was none. */
  lastSubmit: number;
  /** Bytes of buffers and textures that exist now, and the most that did at once since a caller set the latter to them. */
  liveBytes: number;
  peakBytes: number;
}

/**
 * Wraps the methods of WebGPU in this realm; before any engine is loaded, as some keep references. A wrapper costs well
 * below a microsecond a call.
 */
export function countCalls(): WebGpuCalls {
  const calls: WebGpuCalls = {
    dispatches: 0,
    submits: 0,
    emptySubmits: 0,
    objects: 0,
    lastSubmit: 0,
    liveBytes: 0,
    peakBytes: 0,
  };
  if (typeof GPUDevice === 'undefined') return calls;
  const sizes = new WeakMap<object, number>();
  const made = (object: object, bytes: number) => {
    calls.objects++;
    sizes.set(object, bytes);
    calls.liveBytes += bytes;
    calls.peakBytes = Math.max(calls.peakBytes, calls.liveBytes);
  };
  const destroyed = (object: object) => {
    calls.liveBytes -= sizes.get(object) ?? 0;
    sizes.delete(object);
  };
  after(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => calls.dispatches++);
  after(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', () => calls.dispatches++);
  after(GPUQueue.prototype, 'submit', (_result, _queue, [buffers]) => {
    if ([...(buffers as Iterable<unknown>)].length === 0) {
      calls.emptySubmits++;
      return;
    }
    calls.submits++;
    calls.lastSubmit = performance.now();
  });
  after(GPUDevice.prototype, 'createBuffer', (buffer) => made(buffer as GPUBuffer, (buffer as GPUBuffer).size));
  after(GPUDevice.prototype, 'createTexture', (texture) => made(texture as GPUTexture, bytesOf(texture as GPUTexture)));
  after(GPUBuffer.prototype, 'destroy', (_result, buffer) => destroyed(buffer));
  after(GPUTexture.prototype, 'destroy', (_result, texture) => destroyed(texture));
  for (const method of ['createBindGroup', 'createComputePipeline', 'createComputePipelineAsync'] as const) {
    after(GPUDevice.prototype, method, () => calls.objects++);
  }
  return calls;
}

function after<O extends object>(
  prototype: O,
  method: keyof O & string,
  then: (result: unknown, self: O, args: unknown[]) => void,
): void {
  const original = prototype[method] as (...args: unknown[]) => unknown;
  (prototype as Record<string, unknown>)[method] = function (this: O, ...args: unknown[]) {
    const result = original.apply(this, args);
    then(result, this, args);
    return result;
  };
}

/** Without mip levels, which no engine here uses. */
function bytesOf({ format, width, height, depthOrArrayLayers }: GPUTexture): number {
  const [, channels = 'rgba', bits = '32'] = /^(r|rg|rgba|bgra)(8|16|32)/.exec(format) ?? [];
  return (width * height * depthOrArrayLayers * channels.length * Number(bits)) / 8;
}
