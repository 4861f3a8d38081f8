import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { sizeOf } from '../../src/graph/shapes.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { prepare } from '../../src/passes/index.ts';
import { createPlan } from '../../src/planner/create-plan.ts';
import type { Plan } from '../../src/planner/plan.ts';
import { halfTensors } from '../../src/planner/storage.ts';
import { summarizePlan } from '../../src/planner/summary.ts';

const kernels = await allKernels();

describe('inputs that are stored as the caller gives them', () => {
  const conv = prepare(buildArchitecture('v2-0.35-96', { classes: 10 })).nodes[0]!;
  const input = { name: 'x', shape: [1, 96, 96, 3] as const };
  const stem = { ...conv, inputs: ['x'], output: 'y' };
  const output = { name: 'y', tensor: 'y' };

  it('are those that one convolution alone reads', () => {
    const graph = { name: 'one', inputs: [input], outputs: [output], nodes: [stem] };
    const plan = createPlan(graph, kernels);
    expect(plan.dispatches[0]!.kernel).toBe('conv-stem');
    expect(plan.tensors.x).toMatchObject({ dense: true, bytes: 4 * 96 * 96 * 3 });
    expect(plan.tensors.y!.dense).toBeUndefined();
  });

  it.each([
    [
      'two nodes read',
      { nodes: [stem, { ...stem, name: 'again', output: 'z' }], outputs: [output, { name: 'z', tensor: 'z' }] },
    ],
    ['are outputs too', { nodes: [stem], outputs: [output, { name: 'x', tensor: 'x' }] }],
  ])('are not those that %s', (_, parts) => {
    const plan = createPlan({ name: 'other', inputs: [input], ...parts }, kernels);
    expect(plan.dispatches.map(({ kernel }) => kernel)).not.toContain('conv-stem');
    expect(plan.tensors.x).toMatchObject({ bytes: 4 * 96 * 96 * 4 });
    expect(plan.tensors.x!.dense).toBeUndefined();
  });
});

describe('tensors that are stored as halves', () => {
  it.each([
    ['v1-1.0-224', 0],
    // Sixteen blocks expand.
    ['v2-1.0-224', 16],
    // The stem and the first block of V3-Large, which does not expand, stay float32; 14 of 15 blocks expand.
    ['v3-large-1.0-224', 14],
  ])('%s: the outputs of %i expansions', (id, count) => {
    const graph = prepare(buildArchitecture(id));
    const halves = halfTensors(graph);
    expect(halves.size).toBe(count);
    for (const tensor of halves) {
      const readers = graph.nodes.filter(({ inputs }) => inputs.includes(tensor));
      expect(readers.map((node) => node.op === 'conv2d' && node.groups > 1)).toEqual([true]);
      const writer = graph.nodes.find(({ output }) => output === tensor)!;
      expect(writer.op === 'conv2d' && writer.kernel.join() === '1,1' && writer.groups === 1).toBe(true);
    }
  });

  it('takes half the bytes for them and for weights, and float32 for the rest', () => {
    const graph = prepare(buildArchitecture('v2-1.0-96', { classes: 10 }));
    const full = createPlan(graph, kernels);
    const half = createPlan(graph, kernels, { precision: 'float16' });
    const halves = halfTensors(graph);
    for (const [name, { shape, bytes, precision, dense }] of Object.entries(half.tensors)) {
      expect(precision).toBe(halves.has(name) ? 'float16' : 'float32');
      const lanes = dense ? sizeOf(shape) : (sizeOf(shape) / shape[3]) * 4 * Math.ceil(shape[3] / 4);
      expect(bytes).toBe(lanes * (halves.has(name) ? 2 : 4));
    }
    const [before, after] = [summarizePlan(graph, full), summarizePlan(graph, half)];
    expect(after.arenaBytes / before.arenaBytes).toBeLessThan(0.7);
    expect(after.weightBytes / before.weightBytes).toBeLessThan(0.55);
    expect(Object.values(full.tensors).every(({ precision }) => precision === 'float32')).toBe(true);
  });

  it('stores the tensors that it is told', () => {
    const graph = prepare(buildArchitecture('v2-0.35-96', { classes: 10 }));
    const all = new Set(graph.nodes.map(({ output }) => output));
    const plan = createPlan(graph, kernels, { precision: 'float16-packed', halves: all });
    expect(graph.nodes.every(({ output }) => plan.tensors[output]!.precision === 'float16-packed')).toBe(true);
    expect(plan.tensors[graph.inputs[0]!.name]!.precision).toBe('float32');
  });
});

describe('plans that compute in halves', () => {
  const preferences = { features: ['shader-f16'], prefer: [], arithmetic: 'float16' } as const;
  const planOf = (id: string) => {
    const graph = prepare(buildArchitecture(id, { classes: 10 }));
    return { graph, plan: createPlan(graph, kernels, { precision: 'float16', preferences }) };
  };
  const kindsOf = ({ dispatches }: Plan) => dispatches.map(({ kernel }) => kernel.startsWith('half/'));

  it('have half kernels for all that is multiplied behind the first block', () => {
    const { graph, plan } = planOf('v2-1.0-96');
    const expected = graph.nodes.map(({ op }, i) => i > 2 && (op === 'conv2d' || op === 'fully-connected'));
    expect(kindsOf(plan)).toEqual(expected);
    // What is rounded where it is read may as well be stored so.
    const stored = graph.nodes.filter(({ output }) => plan.tensors[output]!.precision === 'float16');
    expect(stored.length).toBe(33);
    const [last, ...convolutions] = stored.reverse();
    expect(last!.op).toBe('global-average-pool');
    for (const node of convolutions) expect(node).toMatchObject({ op: 'conv2d', activation: 'relu6' });
  });

  it('store nothing as halves that may be larger than these, and halve no depthwise convolution of it', () => {
    // ReLU and hard-swish have no largest value.
    for (const id of ['v3-large-1.0-64', 'v4-conv-small-64']) {
      const { graph, plan } = planOf(id);
      const halves = graph.nodes.filter(({ output }) => plan.tensors[output]!.precision === 'float16');
      expect(halves.every((node) => 'activation' in node && /sigmoid/.test(node.activation))).toBe(true);
      const inHalves = kindsOf(plan);
      for (const [i, node] of graph.nodes.entries()) {
        if (node.op === 'conv2d' && node.groups > 1) expect(inHalves[i]).toBe(false);
        else if (i > 2 && (node.op === 'conv2d' || node.op === 'fully-connected')) expect(inHalves[i]).toBe(true);
      }
    }
  });

  it('compute in float32 where the device has no halves to compute in', () => {
    const graph = prepare(buildArchitecture('v2-0.35-96', { classes: 10 }));
    const plan = createPlan(graph, kernels, {
      precision: 'float16-packed',
      preferences: { ...preferences, features: [] },
    });
    expect(kindsOf(plan)).not.toContain(true);
  });
});
