import { expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { prepare } from '../../src/passes/index.ts';
import { createPlan } from '../../src/planner/create-plan.ts';
import { startingPreferences } from '../../src/tuning/defaults.ts';
import { smallest } from '../../src/tuning/warm-up.ts';

const kernels = await allKernels();

it.each([[['subgroups']], [[]]])(
  'with the features %j every pipeline of it is one of a first plan',
  async (features) => {
    const adapter = { vendor: '', architecture: '', description: '', software: true, features };
    const preferences = await startingPreferences(adapter);
    const pipelinesOf = (graph: typeof smallest) =>
      createPlan(prepare(graph), kernels, { preferences }).pipelines.map((spec) => JSON.stringify(spec));
    const warm = pipelinesOf(smallest);
    expect(warm).toHaveLength(4);
    for (const id of ['v1-1.0-224', 'v2-1.0-224', 'v3-large-1.0-224', 'v3-small-1.0-224', 'v4-conv-small-224']) {
      expect(pipelinesOf(buildArchitecture(id)), id).toEqual(expect.arrayContaining(warm));
    }
  },
);

it.each([[['subgroups']], [[]]])('with the features %j a first plan takes large batches', async (features) => {
  const preferences = await startingPreferences({
    vendor: '',
    architecture: '',
    description: '',
    software: true,
    features,
  });
  const graph = buildArchitecture('v2-0.35-224', { batch: 256 });
  const names = createPlan(prepare(graph), kernels, { preferences }).dispatches.map(({ kernel }) => kernel);
  // Its first layers have more pixels than workgroups in one row.
  expect(names).toContain('conv-pointwise');
  expect(names.some((name) => name.startsWith('conv-any/'))).toBe(true);
});
