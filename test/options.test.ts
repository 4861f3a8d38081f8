import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../src/architectures/index.ts';
import { UsageError } from '../src/errors.ts';
import { inspect } from '../src/inspect.ts';
import { load } from '../src/load.ts';
import type { LoadOptions } from '../src/load-options.ts';
import { resolveChoice, storageOf } from '../src/options.ts';
import { FakeGpu } from './support/fake-gpu.ts';

describe('the words that choose how a model runs', () => {
  it('auto is WebGPU where there is one, float32, blocks fused where that is faster', () => {
    const auto = { device: 'auto', precision: 'float32', integers: 'where-covered', plan: 'auto', weights: 'auto' };
    expect(resolveChoice({})).toEqual(auto);
    expect(resolveChoice({ device: 'auto', precision: 'auto', plan: 'auto' })).toEqual(auto);
  });

  it.each<[object, RegExp]>([
    [{ device: 'cpu' }, /^device is "cpu", expected auto, webgpu, wasm, reference$/],
    [
      { precision: 'float16-packed' },
      /^precision is "float16-packed", expected auto, float32, float16, float16-storage/,
    ],
    [{ plan: 'fast' }, /^plan is "fast", expected auto, unfused, fused$/],
    [{ device: 'wasm', precision: 'float16-storage' }, /float16-storage.*is for the GPU, and device is "wasm"/],
    [{ precision: 'int8', plan: 'fused' }, /"int8" has no fused plan/],
    [{ weights: 'float16' }, /^weights is "float16", expected auto, int8$/],
    [{ weights: 'int8', plan: 'fused' }, /weights "int8" go with plan "auto" or "unfused"/],
    [{ weights: 'int8', precision: 'float16' }, /precision "auto", "float32" or "float16-storage"/],
    [{ precision: 'int8', device: 'reference' }, /int8.*v1-0.25-32.*holds its network in floats/],
    [{ device: 'reference', precision: 'float16-storage' }, /float16-storage.*is for the GPU/],
    [{ device: 'reference', precision: 'float16' }, /"float16" is for the GPU/],
  ])('%j is refused by load and by what stands behind it', async (choice, message) => {
    const loading = load('v1-0.25-32', choice as LoadOptions);
    await expect(loading).rejects.toThrow(UsageError);
    await expect(loading).rejects.toThrow(message);
  });

  it('halves are stored as the device can', async () => {
    expect(storageOf('float32', ['shader-f16'])).toBe('float32');
    expect(storageOf('float16-storage', ['shader-f16'])).toBe('float16');
    expect(storageOf('float16-storage', [])).toBe('float16-packed');
    expect(storageOf('float16', ['shader-f16'])).toBe('float16');
    const refused = /no shader-f16.*float16-storage/;
    expect(() => storageOf('float16', [])).toThrow(refused);
    const { gpu } = new FakeGpu();
    await expect(load('v1-0.25-32', { gpu, device: 'webgpu', precision: 'float16' })).rejects.toThrow(refused);
    const model = await load('v1-0.25-32', {
      gpu: new FakeGpu().gpu,
      precision: 'float16-storage',
      tuning: 'off',
      selfCheck: 'off',
    });
    expect(model.plan.precision).toBe('float16-packed');
    model.dispose();
  });

  it('inspect counts bytes as the precision stores them', async () => {
    const graph = buildArchitecture('v2-0.35-64');
    const [whole, half] = [await inspect(graph), await inspect(graph, { precision: 'float16-storage' })];
    expect(half.activationBytes).toBeLessThan(whole.activationBytes);
    expect(half.weightBytes).toBeLessThan(0.7 * whole.weightBytes);
    await expect(inspect(graph, { precision: 'int8' })).rejects.toThrow(UsageError);
  });
});
