/** What trials make of a GPU that refuses something, on one that computes nothing. */
import { expect, it } from 'vitest';
import { DeviceError, OutOfMemoryError } from '../../src/errors.ts';
import { TrialBench } from '../../src/scheduler/trial-bench.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { fakeDevice, fakeExecutor } from './one-layer.ts';

async function benchOn(fake: FakeGpu) {
  const gpu = fakeDevice(fake);
  const executor = await fakeExecutor(gpu);
  return { executor, bench: await TrialBench.create(gpu) };
}

it('a trial that the device finds invalid agrees with nothing: what was found before is not read again', async () => {
  const fake = new FakeGpu();
  const { bench, executor } = await benchOn(fake);
  const compare = () => bench.compare(executor.resources, [{ tensor: 'x', most: 1 }], 'y', { keep: true });
  expect(await compare()).toEqual({ largest: 0, finite: true });
  fake.refusesSubmit = true;
  await expect(compare()).rejects.toThrow(DeviceError);
  expect(await compare()).toEqual({ largest: 0, finite: true });
});

it('outputs of a network that the device finds invalid are none', async () => {
  const fake = new FakeGpu();
  const { bench, executor } = await benchOn(fake);
  expect(Object.keys(await bench.outputsOf(executor))).toEqual(['y']);
  fake.refusesSubmit = true;
  await expect(bench.outputsOf(executor)).rejects.toThrow(DeviceError);
});

it('an output for which there was no memory is not compared with later', async () => {
  const fake = new FakeGpu();
  const { bench, executor } = await benchOn(fake);
  const compare = () => bench.compare(executor.resources, [], 'y', { keep: true });
  fake.lacks = (label) => label === 'kept output';
  await expect(compare()).rejects.toThrow(OutOfMemoryError);
  await expect(compare()).rejects.toThrow(OutOfMemoryError);
  fake.lacks = () => false;
  expect(await compare()).toEqual({ largest: 0, finite: true });
  bench.dispose();
  executor.dispose();
  expect(fake.held).toEqual([]);
});
