/** Runs of buffers of the GPU: their place among other calls, and what is refused, on a GPU that computes nothing. */
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import type { Model } from '../../src/model.ts';
import type { RunOptions } from '../../src/run-options.ts';
import { pointwise } from '../scheduler/one-layer.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { load } from '../support/unchecked-load.ts';

const VALUES = 5 * 5 * 4;
const STORAGE = 0x80;

/** A model whose input and output are 5 × 5 × 4, and the first number of each input that is uploaded, in order. */
async function loaded() {
  const fake = new FakeGpu();
  const { device } = fake;
  const model = await load(pointwise(4, 4), { gpuDevice: device, tuning: 'off' });
  const uploaded: number[] = [];
  const write = device.queue.writeBuffer.bind(device.queue);
  device.queue.writeBuffer = (buffer, offset, data) => {
    if (buffer.label.startsWith('arena')) uploaded.push((data as Float32Array)[0]!);
    write(buffer, offset, data);
  };
  const own = () => device.createBuffer({ label: 'own', size: 4 * VALUES, usage: STORAGE });
  return { fake, model, uploaded, own };
}

const filled = (value: number) => new Float32Array(VALUES).fill(value);

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing thrown',
    (error: unknown) => (error instanceof UsageError ? error.message : error),
  );

describe('a run of buffers or of NCHW', () => {
  it('has its place at the call, the first one too, and leaves arrays to the caller', async () => {
    const { model, uploaded, own } = await loaded();
    const cases: RunOptions[] = [{ into: own() }, { into: { y: own() } }, { layout: 'nchw' }];
    for (const options of cases) {
      uploaded.length = 0;
      const first = filled(1);
      const ended: number[] = [];
      const runs = [
        model.run(first, options).then(() => ended.push(1)),
        model.run(filled(2)).then(() => ended.push(2)),
        model.run({ x: filled(3) }, options).then(() => ended.push(3)),
      ];
      first.fill(9);
      const { into = {} } = options;
      if (!('mapAsync' in into)) Object.assign(into, { z: own() });
      await Promise.all(runs);
      expect({ uploaded, ended }).toEqual({ uploaded: [1, 2, 3], ended: [1, 2, 3] });
    }
    model.dispose();
  });

  it('is waited for by `await using`', async () => {
    const { model, own } = await loaded();
    const run = model.run(filled(1), { into: own() });
    const dispose = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(model), Symbol.asyncDispose)?.value;
    await (dispose as (this: Model) => Promise<void>).call(model);
    expect(await run).toEqual({});
  });

  it('leaves nothing where the model is disposed of meanwhile', async () => {
    for (const before of [0, 1]) {
      const { fake, model, own } = await loaded();
      const buffer = own();
      for (let i = 0; i < before; i++) await model.run(buffer);
      // Another layout of what was there before: of what it makes, the readback is there already.
      const run = refusal(model.run(buffer, { layout: 'nchw' }));
      model.dispose();
      expect(await run).toBe('the model was disposed of');
      await new Promise((resolve) => setTimeout(resolve));
      expect(fake.held).toEqual(['own']);
    }
  });

  it('is refused where an input is unknown, or a buffer larger than the GPU binds', async () => {
    const { fake, model, own } = await loaded();
    for (const inputs of [
      { x: own(), z: own() },
      { x: own(), z: filled(1) },
      { x: filled(1), z: filled(1) },
    ]) {
      expect(await refusal(model.run(inputs))).toBe('there is no input "z": x');
    }
    expect(await refusal(model.run({ X: filled(1) }, { layout: 'nchw' }))).toBe('there is no input "X": x');
    expect(await refusal(model.runReference({ x: filled(1), z: filled(1) }))).toBe('there is no input "z": x');
    fake.limits.maxStorageBufferBindingSize = 256;
    expect(await refusal(model.run(own()))).toMatch(/^input "x": the buffer has 400 bytes, .* at most 256 /);
    model.dispose();
  });
});
