import { expect, it, vi } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { allKernels, coreKernels, fetchKernels, modulesOf } from '../../src/kernels/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import type { Plan } from '../../src/planner/plan.ts';
import { prepareFor } from '../../src/planner/prepare.ts';
import { kernelsFor, noPreferences } from '../../src/planner/select.ts';

const namesOf = (kernels: object) => Object.values(kernels).flat(2) as { readonly name: string }[];

it.each(['rare', 'blocks', 'variants', 'split'] as const)(
  'the kernels that %s adds, and no others, are found by name',
  async (module) => {
    const core = new Set(namesOf(coreKernels));
    const added = namesOf(await fetchKernels([module])).filter((kernel) => !core.has(kernel));
    expect(added.length).toBeGreaterThan(3);
    for (const { name } of added) expect(modulesOf([name]), name).toEqual([module]);
    for (const { name } of core) expect(modulesOf([name]), name).toEqual([]);
  },
);

it.each([
  ['v1-0.25-32', 'unfused', []],
  ['v2-0.35-32', 'unfused', []],
  ['v3-small-0.5-64', 'unfused', []],
  ['v3-small-0.5-64', 'fused', ['blocks']],
] as const)('%s, %s, is planned with the core and %j', async (id, kind, modules) => {
  const graph = await prepareFor(buildArchitecture(id), kind);
  expect(await kernelsFor(graph)).toEqual(await fetchKernels(modules));
});

it('what the core cannot run, what is preferred and what the tuner tries is fetched', async () => {
  const graph = await prepareFor(buildArchitecture('v2-0.35-32'), 'unfused');
  const variants = await fetchKernels(['variants']);
  expect(await kernelsFor(graph, { ...noPreferences, prefer: ['conv-depthwise-any/p4'] })).toEqual(
    await fetchKernels([]),
  );
  expect(await kernelsFor(graph, { ...noPreferences, prefer: ['conv-pointwise-tiled'] })).toEqual(variants);
  expect(await kernelsFor(graph, { ...noPreferences, tuned: { layer: 'conv-depthwise-strip/c4-r8' } })).toEqual(
    variants,
  );
  expect(await kernelsFor(graph, noPreferences, 'software')).toEqual(variants);
  expect(await kernelsFor(graph, noPreferences, 'hardware')).toEqual(await fetchKernels(['variants', 'split']));
  const [conv] = graph.nodes;
  const grouped = {
    ...graph,
    nodes: [
      { ...conv!, groups: 1, inputs: ['input'] },
      { op: 'clip', name: 'clip', inputs: [conv!.output], output: 'y', min: 0, max: 1 },
    ],
    outputs: [{ name: 'y', tensor: 'y' }],
  };
  expect(await kernelsFor(grouped as typeof graph)).toEqual(await fetchKernels(['rare']));
});

it.each(['v2-0.35-32', 'v3-small-0.35-64', 'v4-conv-small-0.35-64'])(
  'a fused plan of %s read from JSON has its constants packed where nothing was ever fused',
  async (id) => {
    const graph = await prepareFor(buildArchitecture(id, { classes: 5 }), 'fused');
    const kernels = await allKernels();
    const plan = createPlan(graph, kernels);
    expect(plan.dispatches.some(({ kernel }) => modulesOf([kernel]).includes('blocks'))).toBe(true);
    const expected = [...packConstants(graph, plan, kernels)];
    const json = JSON.stringify(plan);
    vi.resetModules();
    const fresh = await import('../../src/planner/create-plan.ts');
    const { kernelsOf } = await import('../../src/planner/select.ts');
    const read = JSON.parse(json) as Plan;
    const packed = [...fresh.packConstants(graph, read, await kernelsOf(read))];
    expect(packed.map(({ slot }) => slot)).toEqual(expected.map(({ slot }) => slot));
    const bytesOf = (data: ArrayBufferView) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    for (const [i, { data }] of packed.entries()) expect(bytesOf(data).equals(bytesOf(expected[i]!.data))).toBe(true);
  },
);
