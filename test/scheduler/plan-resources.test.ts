import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { DeviceError } from '../../src/errors.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { prepare } from '../../src/passes/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { ArenaPool } from '../../src/scheduler/arena-pool.ts';
import { PlanResources } from '../../src/scheduler/plan-resources.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { fakeDevice, pointwise } from './one-layer.ts';

const kernels = await allKernels();

const MiB = 2 ** 20;
/** What every implementation of WebGPU has at least. */
const defaults = { maxBufferSize: 256 * MiB, maxStorageBufferBindingSize: 128 * MiB };

describe('the limits of a device', () => {
  it('are kept by a plan of large pictures whose tensors all keep their places', () => {
    const graph = prepare(buildArchitecture('v2-1.0-1024'));
    const free = createPlan(graph, kernels, { aliasing: false });
    expect(Math.max(...free.arena)).toBeGreaterThan(defaults.maxBufferSize);
    const plan = createPlan(graph, kernels, { aliasing: false, limits: defaults });
    expect(Math.max(...plan.arena)).toBeLessThanOrEqual(defaults.maxBufferSize);
    for (const { buffer, offset, bytes } of Object.values(plan.tensors)) {
      expect(bytes).toBeLessThanOrEqual(defaults.maxStorageBufferBindingSize);
      expect(offset + bytes).toBeLessThanOrEqual(plan.arena[buffer]!);
    }
    const inOneBuffer = plan.dispatches.filter(({ reads, writes }) =>
      reads.some((read) => writes.some((write) => plan.tensors[read]!.buffer === plan.tensors[write]!.buffer)),
    );
    expect(inOneBuffer).toEqual([]);
  });

  it('change nothing where they are wide enough', () => {
    const graph = prepare(buildArchitecture('v3-small-0.5-64'));
    expect(createPlan(graph, kernels, { limits: defaults })).toEqual(createPlan(graph, kernels));
  });

  it.each([
    [
      { maxStorageBufferBindingSize: 6399 },
      /^one: tensor "x" of \[1,5,5,64\] needs 6400 bytes, more than the 6399 .*\(max/,
    ],
    [{ maxStorageBufferBindingSize: 16383 }, /^one: a weight of node "conv" needs 16384 bytes, more than the 16383/],
    [{ maxBufferSize: 6399 }, /^one: a buffer of tensors needs 6400 bytes.*\(maxBufferSize\)/],
    [
      { maxBufferSize: 16383 },
      /^one: the buffer of weights needs 16640 bytes, more than the 16383 .*\(maxBufferSize\)/,
    ],
  ])('%o are told of with what is needed, before anything is made', async (limits, message) => {
    const fake = new FakeGpu();
    fake.limits = { ...defaults, ...limits };
    const graph = pointwise(64, 64);
    const plan = createPlan(graph, kernels);
    const creating = PlanResources.create(fakeDevice(fake), plan, packConstants(graph, plan, kernels));
    await expect(creating).rejects.toBeInstanceOf(DeviceError);
    await expect(creating).rejects.toThrow(message);
    expect(fake.resources).toEqual([]);
  });
});

it('share an arena with those of the same pool, which is freed with the last of them, and where one cannot be made', async () => {
  const fake = new FakeGpu();
  const gpu = fakeDevice(fake);
  const arena = new ArenaPool(gpu.device);
  const create = (width: number) => {
    const graph = pointwise(width, width);
    const plan = createPlan(graph, kernels);
    return PlanResources.create(gpu, plan, packConstants(graph, plan, kernels), { arena });
  };
  const arenas = () => fake.held.filter((label) => label.startsWith('arena')).length;
  const large = await create(64);
  const small = await create(32);
  expect(small.arena.every((buffer) => large.arena.includes(buffer))).toBe(true);
  expect(new Set(small.arena).size).toBe(2);
  large.dispose();
  large.dispose();
  expect(arenas()).toBe(2);
  const larger = await create(128);
  expect(arenas()).toBe(4);
  fake.lacks = (label) => label === 'constants';
  await expect(create(256)).rejects.toThrow('out of memory');
  expect(arenas()).toBe(4);
  small.dispose();
  expect(arenas()).toBe(2);
  larger.dispose();
  expect(fake.held).toEqual([]);
});
