/** Made-up layers for the self-check: few, and all that a network asks of its pipelines. */
import { expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { isPointwise } from '../../src/graph/layers.ts';
import type { Conv2d, Node } from '../../src/graph/ops.ts';
import { runPasses } from '../../src/passes/index.ts';
import { createPlan } from '../../src/planner/create-plan.ts';
import { kernelsFor, kernelsOf } from '../../src/planner/select.ts';
import { startingPreferences } from '../../src/tuning/defaults.ts';
import { goldenOf } from '../../src/tuning/golden.ts';

const isConv = (node: Node): node is Conv2d => node.op === 'conv2d';
const words = {
  window: ({ kernel, stride, dilation, padding }: Conv2d) => JSON.stringify([kernel, stride, dilation, padding]),
  end: ({ activation, inputs }: Conv2d) => JSON.stringify([activation, inputs.length]),
  remainder: ({ outChannels }: Conv2d) => outChannels % 4,
};

it.each([
  ['v1-1.0-224', 10],
  ['v2-1.0-224', 13],
  ['v3-large-1.0-224', 23],
  ['v3-small-1.0-224', 28],
  ['v4-conv-small-1.0-224', 19],
] as const)('%s: at most %d layers, with every window in two sizes and every end of a sum', async (id, most) => {
  const graph = runPasses(buildArchitecture(id));
  const preferences = await startingPreferences({
    ...{ vendor: '', architecture: '', description: '', software: true, features: [] },
  });
  const plan = createPlan(graph, await kernelsFor(graph, preferences), { preferences });
  const golden = goldenOf(graph, plan, await kernelsOf(plan), new Set());
  expect(golden.unchecked).toEqual([]);
  expect(golden.layers.length).toBeLessThanOrEqual(most);
  const made = golden.layers.map((layer) => ({
    ...layer,
    made: golden.graph.nodes.find(({ name }) => name === layer.node)!,
  }));
  graph.nodes.forEach((node, i) => {
    if (!isConv(node)) return;
    const { kernel } = plan.dispatches[i]!;
    for (const word of Object.values(words)) {
      const alike = made.filter((one) => one.kernel === kernel && isConv(one.made) && word(one.made) === word(node));
      const sizes = new Set(alike.map((one) => one.node.at(-1)));
      const wanted = word === words.window && !isPointwise(node) ? ['a', 'b'] : [expect.any(String)];
      expect([...sizes].sort().slice(0, wanted.length), `${node.name}: ${word(node)}`).toEqual(wanted);
    }
  });
});
