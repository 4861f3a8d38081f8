import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';
import type { chain, compareMixtures, refusals } from './tensor-layout-in-page.ts';

describe.each(browsers)('buffers of the GPU in %s', (browser) => {
  const call = async <T extends (...args: never) => unknown>(name: string) =>
    (await enginePage(browser)).call<Awaited<ReturnType<T>>>('/test/kernels/tensor-layout-in-page.ts', name);

  it('give and take the same bits as arrays, in both layouts and kinds of storage', async () => {
    const found = await call<typeof compareMixtures>('compareMixtures');
    expect(Object.keys(found).filter((what) => !found[what])).toEqual([]);
    // Two networks of two outputs, each with nine mixtures in two layouts and storages; one of one.
    expect(Object.keys(found).length).toBe(2 * (9 * 4 * 2) + 9 * 4);
  });

  it('are chained and overwritten in place, and a run of a buffer seen before makes nothing', async () => {
    const { made, equal, three } = await call<typeof chain>('chain');
    expect(made).toMatchObject({ submits: 1, passes: 1, created: 0 });
    expect({ equal, three }).toEqual({ equal: true, three: true });
  });

  it('that do not fit are refused with what to do', async () => {
    const told = await call<typeof refusals>('refusals');
    expect(told).toEqual({
      size: 'UsageError: input "x": the buffer has 3484 bytes, expected 3468: float32 of [1,17,17,3] without padding',
      usage: `UsageError: input "x": the buffer's usage is 0x8, expected GPUBufferUsage.STORAGE (0x80) among it`,
      device: expect.stringMatching(/^UsageError: input "x": the buffer is not of the model's device, .*gpuDevice/s),
      destroyed: expect.stringMatching(/^UsageError: .*buffer.*destroyed/s),
      later: expect.stringMatching(/^UsageError: .*buffer.*destroyed/s),
      mapped: 'UsageError: input "x": the buffer is mapped: unmap it before the run',
      unnamed: 'UsageError: the model has 2 inputs (a, b): name them',
      missing: 'UsageError: input "b" is missing: expected a Float32Array',
      unknown: 'UsageError: there is no input "z": x',
      into: 'UsageError: there is no output "z" to write into a buffer: y',
      'into size':
        'UsageError: output "y": the buffer has 48 bytes, expected 40: float32 of [1,1,1,10] without padding',
      'into usage': expect.stringMatching(/^UsageError: output "y": the buffer's usage is 0x8, expected/),
      'into device': expect.stringMatching(/^UsageError: output "y": the buffer is not of the model's device/),
      'into array': expect.stringMatching(/^UsageError: into.y is .*, expected a GPUBuffer$/),
      twice: 'UsageError: outputs "sum" and "cut" go into the same buffer',
      layout: 'UsageError: layout is "chw", expected nhwc or nchw',
      reference: expect.stringMatching(/^DeviceError: there is no GPU to read or write a GPUBuffer/),
      afterwards: 'right',
    });
  });
});
