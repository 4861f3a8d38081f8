/** What ends a run, and what is left of it, on a GPU that computes nothing. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeviceError, DeviceLostError, OutOfMemoryError } from '../../src/errors.ts';
import type { ImageRule } from '../../src/graph/graph.ts';
import type { Executor } from '../../src/scheduler/executor.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { fakeDevice, fakeExecutor, pointwise } from './one-layer.ts';

const input = new Float32Array(100);
const rule: ImageRule = {
  fit: 'stretch',
  cropFraction: 1,
  filter: 'bilinear',
  antialias: true,
  corners: 'half-pixel',
  channels: 'rgb',
  scale: [1],
  offset: [0],
};
const picture = { width: 8, height: 6, data: new Uint8Array(4 * 8 * 6) };
const ranking = { output: 'y', logits: true, count: 1 };

/** A classifier of one pixel, which can be ranked. */
const classifier = () => {
  const graph = pointwise(3, 4);
  return { ...graph, inputs: [{ name: 'x', shape: [1, 1, 1, 3] as const }] };
};

describe('an aborted run', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['by default', undefined],
    ['for a reason of its own', new Error('stopped by the test')],
  ])('ends at once, %s: no clock has to go on for it, nor for a run behind three', async (_, reason) => {
    const fake = new FakeGpu();
    const executor = await fakeExecutor(fakeDevice(fake));
    let mapped = () => {};
    fake.mapping = new Promise((resolve) => {
      mapped = resolve;
    });
    // Time stands still: what waits for it waits for ever.
    vi.useFakeTimers();
    const stop = new AbortController();
    const aborted = [1, 2, 3].map(() => executor.run(input, { signal: stop.signal }));
    const innocent = executor.run(input);
    stop.abort(reason);
    mapped();
    const found = await Promise.allSettled(aborted);
    expect(found).toEqual(Array(3).fill({ status: 'rejected', reason: stop.signal.reason }));
    expect(Object.keys(await innocent)).toEqual(['y']);
  });

  it('that waits its turn ends while it waits', async () => {
    const fake = new FakeGpu();
    const executor = await fakeExecutor(fakeDevice(fake));
    let mapped = () => {};
    fake.mapping = new Promise((resolve) => {
      mapped = resolve;
    });
    const stop = new AbortController();
    const others = [1, 2, 3].map(() => executor.run(input));
    const waiting = executor.run(input, { signal: stop.signal });
    stop.abort();
    await expect(waiting).rejects.toBe(stop.signal.reason);
    expect(fake.submits).toBe(3);
    mapped();
    await Promise.all(others);
  });
});

describe('a run whose submit is found invalid', () => {
  const runs: readonly (readonly [string, (executor: Executor) => Promise<unknown>])[] = [
    ['of values', (executor) => executor.run(new Float32Array(3))],
    ['of a picture', (executor) => executor.runPicture(picture, rule)],
    ['that ranks classes', (executor) => executor.runPicture(picture, rule, ranking)],
  ];

  it.each(runs)('%s is a typed error, not the outputs of the run before', async (_, run) => {
    const fake = new FakeGpu();
    const executor = await fakeExecutor(fakeDevice(fake), classifier());
    await run(executor);
    fake.refusesSubmit = true;
    const error = await run(executor).then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error).toBeInstanceOf(DeviceError);
    expect(error!.message).toMatch(/^one: the GPU refused this run.*the submit was refused/);
    // The next one is as good as any.
    await run(executor);
    expect(fake.submits).toBe(3);
  });
});

it('a tensor that cannot be read as the device is gone: that is said, in the words of no browser', async () => {
  const fake = new FakeGpu();
  const { device } = fake;
  let lose = (_: GPUDeviceLostInfo) => {};
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => {
    lose = resolve;
  });
  const executor = await fakeExecutor(fakeDevice(fake, Object.assign(device, { lost })));
  fake.mapping = Promise.reject(new DOMException('Buffer was destroyed', 'AbortError'));
  fake.mapping.catch(() => {});
  const reading = executor.readTensor('y');
  setTimeout(() => lose({ reason: 'unknown', message: 'pulled out' } as GPUDeviceLostInfo), 10);
  await expect(reading).rejects.toThrow(DeviceLostError);
  await expect(reading).rejects.toThrow('pulled out');
});

it('a picture that a software adapter binds no buffer for is read from its texture', async () => {
  const fake = new FakeGpu();
  const executor = await fakeExecutor(fakeDevice(fake), classifier());
  fake.limits.maxStorageBufferBindingSize = 4 * 64 * 64 - 1;
  const source = {} as ImageBitmap;
  const page = { width: 64, height: 64, way: 'copy', form: 'bytes', source, close: () => {} } as const;
  expect(Object.keys((await executor.runPicture(page, rule)).outputs)).toEqual(['y']);
  expect(fake.calls).toEqual(['copyExternalImageToTexture 64 × 64']);
  executor.dispose();
});

describe('out of memory', () => {
  it.each(['uniforms', 'arena 0', 'arena 1', 'constants', 'weights 0', 'readback 0', 'readback 2'])(
    'for %s leaves nothing on the device',
    async (label) => {
      const fake = new FakeGpu();
      fake.lacks = (what) => what === label;
      await expect(fakeExecutor(fakeDevice(fake))).rejects.toBeInstanceOf(OutOfMemoryError);
      expect(fake.resources.map((made) => made.label)).toContain(label);
      expect(fake.held).toEqual([]);
    },
  );

  it('that createBuffer throws for leaves nothing either', async () => {
    const fake = new FakeGpu();
    const gpu = fakeDevice(fake);
    const { createBuffer } = gpu.device;
    gpu.device.createBuffer = (descriptor) => {
      if (descriptor.label === 'constants') throw new RangeError('too large');
      return createBuffer(descriptor);
    };
    await expect(fakeExecutor(gpu)).rejects.toBeInstanceOf(OutOfMemoryError);
    expect(fake.resources.length).toBeGreaterThan(0);
    expect(fake.held).toEqual([]);
  });

  it.each(['pixels', 'picture', 'ranked classes', 'ranking', 'readback 1'])(
    'for %s of a picture leaves what was there before, and works once there is memory',
    async (label) => {
      const fake = new FakeGpu();
      const executor = await fakeExecutor(fakeDevice(fake), classifier());
      const before = [...fake.held];
      fake.lacks = (what) => what === label;
      await expect(executor.runPicture(picture, rule, ranking)).rejects.toBeInstanceOf(OutOfMemoryError);
      const stages = ['pixels', 'picture'].includes(label) ? ['ranked', 'ranking', 'readback'] : ['pixels', 'picture'];
      const left = fake.held.slice(before.length);
      expect(left.filter((one) => !stages.some((stage) => one.startsWith(stage)))).toEqual([]);
      fake.lacks = () => false;
      expect((await executor.runPicture(picture, rule, ranking)).ranked).toHaveLength(1);
      executor.dispose();
      expect(fake.held).toEqual([]);
    },
  );
});

describe('timed work of one executor', () => {
  it('has the page to itself: runs of another on another device wait', async () => {
    const fake = new FakeGpu();
    const [timed, other] = [await fakeExecutor(fakeDevice(new FakeGpu())), await fakeExecutor(fakeDevice(fake))];
    const log: string[] = [];
    let finish = () => {};
    const work = timed.exclusive(async () => {
      log.push('begun');
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      log.push('timed');
    });
    const run = other.run(input).then(() => log.push('other'));
    await vi.waitFor(() => expect(log).toEqual(['begun']));
    expect(fake.submits).toBe(0);
    finish();
    await Promise.all([work, run]);
    expect(log).toEqual(['begun', 'timed', 'other']);
  });

  it('that fails lets others run', async () => {
    const [timed, other] = [
      await fakeExecutor(fakeDevice(new FakeGpu())),
      await fakeExecutor(fakeDevice(new FakeGpu())),
    ];
    const failing = timed.exclusive(() => Promise.reject(new Error('failed by the test')));
    const run = other.run(input);
    await expect(failing).rejects.toThrow('failed by the test');
    expect(Object.keys(await run)).toEqual(['y']);
  });
});
