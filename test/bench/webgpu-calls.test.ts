import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { countCalls } from '../../bench/webgpu-calls.ts';

class FakeBuffer {
  readonly size: number;
  constructor(size: number) {
    this.size = size;
  }
  destroy(): void {}
}

class FakeTexture {
  readonly format: string;
  readonly width = 8;
  readonly height = 4;
  readonly depthOrArrayLayers = 2;
  constructor(format: string) {
    this.format = format;
  }
  destroy(): void {}
}

class FakeDevice {
  readonly label = 'device';
  createBuffer({ size }: { size: number }): FakeBuffer {
    return new FakeBuffer(size);
  }
  createTexture({ format }: { format: string }): FakeTexture {
    return new FakeTexture(format);
  }
  createBindGroup(): string {
    return `bind group of ${this.label}`;
  }
  createComputePipeline(): void {}
  async createComputePipelineAsync(): Promise<void> {}
}

class FakePass {
  dispatchWorkgroups(): void {}
  dispatchWorkgroupsIndirect(): void {}
}

class FakeQueue {
  readonly submitted: unknown[] = [];
  submit(buffers: Iterable<unknown>): void {
    this.submitted.push(...buffers);
  }
}

beforeEach(() => {
  vi.stubGlobal('GPUDevice', class extends FakeDevice {});
  vi.stubGlobal('GPUBuffer', FakeBuffer);
  vi.stubGlobal('GPUTexture', FakeTexture);
  vi.stubGlobal('GPUComputePassEncoder', FakePass);
  vi.stubGlobal('GPUQueue', FakeQueue);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test('counts dispatches, submits and objects, and leaves results as they are', () => {
  const calls = countCalls();
  const device = new (GPUDevice as unknown as typeof FakeDevice)();
  expect(device.createBindGroup()).toBe('bind group of device');
  device.createComputePipeline();
  const pass = new FakePass();
  for (let i = 0; i < 3; i++) pass.dispatchWorkgroups();
  pass.dispatchWorkgroupsIndirect();
  const queue = new FakeQueue();
  queue.submit([]);
  expect(calls.lastSubmit).toBe(0);
  queue.submit(['a', 'b']);
  expect(queue.submitted).toEqual(['a', 'b']);
  expect(calls).toMatchObject({ dispatches: 4, submits: 1, objects: 2 });
  expect(calls.lastSubmit).toBeGreaterThan(0);
});

test('bytes are those that exist at once', () => {
  const calls = countCalls();
  const device = new (GPUDevice as unknown as typeof FakeDevice)();
  const a = device.createBuffer({ size: 1000 });
  device.createBuffer({ size: 500 });
  a.destroy();
  a.destroy();
  device.createBuffer({ size: 100 });
  expect(calls).toMatchObject({ liveBytes: 600, peakBytes: 1500 });
  calls.peakBytes = calls.liveBytes;
  device.createBuffer({ size: 200 }).destroy();
  expect(calls).toMatchObject({ liveBytes: 600, peakBytes: 800 });
  // 8 × 4 × 2 texels of four 16-bit and of one 32-bit number.
  device.createTexture({ format: 'rgba16float' });
  expect(calls.liveBytes).toBe(600 + 64 * 8);
  device.createTexture({ format: 'r32float' }).destroy();
  expect(calls.liveBytes).toBe(600 + 64 * 8);
});

test('a browser without WebGPU counts nothing', () => {
  vi.stubGlobal('GPUDevice', undefined);
  expect(countCalls()).toMatchObject({ dispatches: 0, submits: 0 });
});
