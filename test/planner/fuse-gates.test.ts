/** Gates' products in the projections that read them. */
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Fused, Node, Shape } from '../../src/graph/ops.ts';
import { seededInputs } from '../../src/graph/random-inputs.ts';
import { runPasses } from '../../src/passes/index.ts';
import { createPlan } from '../../src/planner/create-plan.ts';
import { blocksOf, fuse, gatesOf } from '../../src/planner/fuse.ts';
import { kernelsFor, kernelsOf } from '../../src/planner/select.ts';
import { runGraph } from '../../src/reference/index.ts';
import { gateLikeness } from '../../src/tuning/gate-likeness.ts';
import { goldenOf } from '../../src/tuning/golden.ts';
import { compareOutputs } from '../../src/validate/compare.ts';

const isFused = (node: Node): node is Fused => node.op === 'fused';

/** x · g, projected from 4 to 3 channels. */
function gate({ of = [1, 1, 1, 4], activation = 'none', outputs = ['y'] } = {}): Graph {
  const weights = Float32Array.from({ length: 12 }, (_, i) => Math.sin(7.3 * i));
  const project = {
    ...{ op: 'conv2d', name: 'project', inputs: ['product'], output: 'y', weights, bias: null, kernel: [1, 1] },
    ...{ stride: [1, 1], dilation: [1, 1], padding: { top: 0, left: 0, bottom: 0, right: 0 }, groups: 1 },
    ...{ outChannels: 3, activation: 'relu' },
  };
  return {
    name: 'gate',
    inputs: [
      { name: 'x', shape: [1, 6, 5, 4] },
      { name: 'g', shape: of as unknown as Shape },
    ],
    nodes: [{ op: 'multiply', name: 'scale', inputs: ['x', 'g'], output: 'product', activation }, project] as Node[],
    outputs: outputs.map((name) => ({ name, tensor: name })),
  };
}

describe('gates', () => {
  it('are fused with what reads them', () => {
    const graph = gate();
    const fused = fuse(graph, new Set(['scale']));
    expect(fused.nodes.map(({ op, name, inputs }) => [op, name, inputs])).toEqual([['fused', 'project', ['x', 'g']]]);
    const inputs = seededInputs(graph);
    expect(runGraph(fused, inputs).y!.data).toEqual(runGraph(graph, inputs).y!.data);
  });

  it.each([
    ['as large as what they scale', { of: [1, 6, 5, 4] }],
    ['with an activation', { activation: 'relu' }],
    ['whose product is an output', { outputs: ['product', 'y'] }],
  ])('stay as they are %s', (_what, how) => {
    expect(gatesOf(gate(how))).toEqual([]);
  });

  it('are blocks of their own beside the whole ones, which come first where both are wanted', () => {
    const graph = runPasses(buildArchitecture('v3-small-0.35-32'));
    const scales = graph.nodes.filter(({ op }) => op === 'multiply').map(({ name }) => name);
    expect(scales.length).toBe(9);
    expect(gatesOf(graph)).toEqual(scales);
    expect(blocksOf(graph)).toEqual(expect.arrayContaining([...scales, 'block4/project']));
    const gated = fuse(graph, new Set(scales));
    expect(gated.nodes.length).toBe(graph.nodes.length - 9);
    const inputs = seededInputs(graph);
    const [before, after] = [graph, gated].map((one) => runGraph(one, inputs).logits!.data);
    expect(compareOutputs(after!, before!).nmse).toBeLessThan(1e-12);
    const both = fuse(graph, new Set(['block4/squeeze-excite/scale', 'block4/project']));
    expect(both).toEqual(fuse(graph, new Set(['block4/project'])));
  });

  it('have small layers in the self-check, so that none is too large for it', async () => {
    const graph = runPasses(buildArchitecture('v3-small-1.0-224'));
    const gated = fuse(graph, new Set(gatesOf(graph)));
    const plan = createPlan(gated, await kernelsFor(gated));
    const golden = goldenOf(gated, plan, await kernelsOf(plan), new Set(), gateLikeness);
    expect(golden.unchecked).toEqual([]);
    const small = golden.graph.nodes.filter(isFused);
    expect(small.length).toBeGreaterThan(2);
    const inputs = seededInputs(golden.graph);
    expect(Object.values(runGraph(golden.graph, inputs)).every(({ data }) => data.every(Number.isFinite))).toBe(true);
  });
});
