/** A model whose device is lost, on a GPU that computes nothing. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeviceLostError, UsageError } from '../../src/errors.ts';
import type { ImageRule } from '../../src/graph/graph.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { pointwise } from '../scheduler/one-layer.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { load } from '../support/unchecked-load.ts';

const graph = pointwise(3, 4);
const input = new Float32Array(75);

async function loaded() {
  const fake = new FakeGpu();
  const model = await load(graph, { gpu: fake.gpu, device: 'webgpu', tuning: 'off' });
  return { fake, model };
}

describe('a lost device', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('gives way to another, once for all calls, and its memory is let go', async () => {
    const { fake, model } = await loaded();
    await model.run(input);
    const before = fake.held.length;
    fake.lose('driver reset');
    await vi.waitFor(() => expect(fake.held).toEqual([]));
    await Promise.all([1, 2, 3, 4, 5].map(() => model.run(input)));
    expect([fake.opened, fake.held.length]).toEqual([2, before]);
    model.dispose();
    expect(fake.held).toEqual([]);
  });

  it('leaves the order of results as it is, whichever of them is there first', async () => {
    const { model } = await loaded();
    const order: number[] = [];
    const { run } = Executor.prototype;
    const gates: (() => void)[] = [];
    // The last one is ready first.
    vi.spyOn(Executor.prototype, 'run').mockImplementation(async function (this: Executor, ...args) {
      await new Promise<void>((resolve) => gates.push(resolve));
      return run.apply(this, args);
    });
    const runs = [0, 1, 2].map((i) => model.run(input).then(() => order.push(i)));
    for (const open of gates.reverse()) {
      open();
      await new Promise((resolve) => setTimeout(resolve));
    }
    await Promise.all(runs);
    vi.restoreAllMocks();
    expect(order).toEqual([0, 1, 2]);
    model.dispose();
  });

  it('that no other follows is told of after three attempts; the next call asks again', async () => {
    const { fake, model } = await loaded();
    fake.lose('driver reset');
    await Promise.resolve();
    fake.adapters = false;
    const error = await model.run(input).catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(DeviceLostError);
    expect((error as Error).message).toMatch(/driver reset.*there was none: WebGPU found no adapter/);
    expect(fake.opened).toBe(1);
    fake.adapters = true;
    expect(Object.keys(await model.run(input))).toEqual(['y']);
    model.dispose();
  });

  it('again and again ends a call, not the model', async () => {
    const { fake, model } = await loaded();
    const { lose } = fake;
    const losing = setInterval(() => fake.lose('worn out'), 1);
    fake.mapping = new Promise(() => {});
    lose('worn out');
    const error = await model.run(input).catch((thrown: Error) => thrown);
    clearInterval(losing);
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(fake.opened).toBeLessThan(20);
    fake.mapping = Promise.resolve();
    expect(Object.keys(await model.run(input))).toEqual(['y']);
    model.dispose();
    expect(fake.held).toEqual([]);
  });

  it('of a model that is disposed of meanwhile leaves nothing behind', async () => {
    const { fake, model } = await loaded();
    let compiled = () => {};
    fake.compiling = new Promise((resolve) => {
      compiled = resolve;
    });
    fake.lose('driver reset');
    const running = model.run(input);
    await vi.waitFor(() => expect(fake.opened).toBe(2));
    model.dispose();
    compiled();
    await expect(running).rejects.toBeInstanceOf(UsageError);
    expect(fake.held).toEqual([]);
    await expect(model.run(input)).rejects.toBeInstanceOf(UsageError);
  });

  it('an aborted call does not wait for another', async () => {
    const { fake, model } = await loaded();
    fake.compiling = new Promise(() => {});
    fake.lose('driver reset');
    const stop = new AbortController();
    const running = model.run(input, { signal: stop.signal });
    await vi.waitFor(() => expect(fake.opened).toBe(2));
    stop.abort();
    await expect(running).rejects.toBe(stop.signal.reason);
    model.dispose();
  });

  it('takes large pictures with it: their runs end, the next one begins anew', async () => {
    const { fake, model } = await loaded();
    const image: ImageRule = {
      ...{ fit: 'stretch', cropFraction: 1, filter: 'bilinear', antialias: true, corners: 'half-pixel' },
      ...{ channels: 'rgb', scale: [1], offset: [0] },
    };
    const pictureOf = (side: number) => ({ width: side, height: side, data: new Uint8Array(4 * side * side) });
    for (const [side, survives] of [
      [8, true],
      [2200, false],
    ] as const) {
      const picture = pictureOf(side);
      await model.runPicture(picture, { image });
      let mapped = () => {};
      fake.mapping = new Promise((_, reject) => {
        mapped = () => reject(new DOMException('gone', 'AbortError'));
      });
      const running = model.runPicture(picture, { image }).then(
        () => true,
        (error) => error instanceof DeviceLostError && !/load the model/.test(error.message) && false,
      );
      fake.lose('driver reset');
      await Promise.resolve();
      mapped();
      fake.mapping = Promise.resolve();
      expect(await running, `${side}`).toBe(survives);
      await model.runPicture(picture, { image });
    }
    model.dispose();
  });
});
