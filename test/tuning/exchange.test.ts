/** A plan that is exchanged while somebody works with it. */
import { expect, it, vi } from 'vitest';
import { Model } from '../../src/model.ts';
import { noPreferences } from '../../src/planner/select.ts';
import { TunedExecutor } from '../../src/tuning/tuned-executor.ts';
import { fakeDevice, fakeExecutor, pointwise } from '../scheduler/one-layer.ts';
import { FakeGpu } from '../support/fake-gpu.ts';

it('a profile goes on with the plan that it began with, which is freed after it', async () => {
  const fake = new FakeGpu();
  const gpu = fakeDevice(fake);
  const create = vi.spyOn(TunedExecutor, 'create');
  const graph = pointwise(4, 16);
  const model = await Model.create(graph, gpu, '', { tuning: 'off' });
  const tuned: TunedExecutor = await create.mock.results[0]!.value;
  const first = tuned.current;
  const next = await fakeExecutor(gpu, graph);
  let finish = () => {};
  const timed = new Promise<undefined>((resolve) => {
    finish = () => resolve(undefined);
  });
  gpu.device.queue.onSubmittedWorkDone = () => timed;
  const profiling = model.profile(undefined, { repeats: 20 });
  await vi.waitFor(() => expect(fake.submits).toBe(1));
  tuned.exchange(next, noPreferences);
  finish();
  expect((await profiling).layers).toHaveLength(1);
  await vi.waitFor(() => expect(() => first.run(new Float32Array(100))).rejects.toThrow('disposed'));
  model.dispose();
  expect(fake.held).toEqual([]);
});
