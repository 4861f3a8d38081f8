/** Layers of any shape, beside the tables: whatever kernel accepts one, it gives what the reference does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pair } from '../../src/graph/ops.ts';
import { inferShapes, windowOutput } from '../../src/graph/shapes.ts';
import { allKernels } from '../../src/kernels/index.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { enginePage } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';
import type { KernelCase, TableResult } from './case.ts';
import { type ConvSpec, convCase } from './conv-cases.ts';
import { integerConv } from './integer-cases.ts';
import { graphOf } from './run-case.ts';

const cases = suite === 'full' ? 300 : 10;

const registry = await allKernels();
const kernels = [...registry.usual, ...registry.variants, ...registry.starting];

const upTo = (most: number, least = 1) => fc.integer({ min: least, max: most });
const pair = (most: number): fc.Arbitrary<Pair> => fc.tuple(upTo(most), upTo(most));

/** Groups, and channels that they divide. */
const channels = fc.oneof(
  fc.tuple(upTo(21), upTo(37)).map(([cin, cout]) => ({ groups: 1, cin, cout })),
  upTo(21).map((cin) => ({ groups: cin, cin, cout: cin })),
  fc.tuple(upTo(3, 2), upTo(6), upTo(6)).map(([groups, a, b]) => ({ groups, cin: groups * a, cout: groups * b })),
);

const convolution: fc.Arbitrary<KernelCase> = fc
  .record({
    ...{ size: pair(17), kernel: pair(5), stride: pair(3), dilation: pair(2), batch: upTo(2), channels },
    padding: fc.tuple(upTo(4, 0), upTo(4, 0), upTo(4, 0), upTo(4, 0)),
    activation: fc.constantFrom('none', 'relu', 'relu6', 'hard-swish', 'hard-sigmoid', 'sigmoid'),
    ...{ residual: fc.boolean(), noBias: fc.boolean() },
  })
  .filter(({ size, kernel, stride, dilation, padding: [top, left, bottom, right] }) =>
    [top + bottom, left + right].every(
      (pad, i) => windowOutput(size[i]!, kernel[i]!, stride[i]!, dilation[i]!, pad) >= 1,
    ),
  )
  .map(({ channels: { groups, cin, cout }, ...spec }) => convCase({ ...spec, groups, cin, cout } as ConvSpec));

/** The same on stored integers, where only convolutions of one group add a residual. */
const onIntegers = fc
  .tuple(
    convolution.filter(({ node, inputs }) => inputs.length === 1 || (node.op === 'conv2d' && node.groups === 1)),
    fc.nat(11),
  )
  .map(([testCase, turn]) => integerConv(testCase, turn));

const kernelsFor = (testCase: KernelCase): Kernel[] => {
  const graph = graphOf(testCase, 1);
  const shapes = inferShapes(graph);
  const [node] = graph.nodes;
  const inputs = node!.inputs.map((name) => shapes.get(name)!);
  return kernels.filter(
    (kernel) =>
      kernel.op === node!.op && kernel.accepts(node!, { inputs, output: shapes.get(node!.output)!, dense: true }),
  );
};

describe.each(browsers)('layers of any shape in %s', (browser) => {
  it(`${cases} convolutions, each by one of the kernels that accept it`, async () => {
    const page = await enginePage(browser);
    const ran = new Set<string>();
    const property = fc.asyncProperty(
      fc.oneof(convolution, onIntegers),
      fc.nat(),
      upTo(1e6),
      async (testCase, choice, seed) => {
        const able = kernelsFor(testCase);
        expect(able.length).toBeGreaterThan(0);
        const kernel = able[choice % able.length]!.name;
        const runs = [{ testCase, kernel, seed }];
        const { missing, results } = await page.call<TableResult>('/test/kernels/run-case.ts', 'runTable', { runs });
        if (missing.length > 0) return;
        ran.add(kernel);
        expect(results[0], kernel).toMatchObject({ ok: true, kernel });
      },
    );
    await fc.assert(property, { seed: 1, numRuns: cases, endOnFailure: suite !== 'full' });
    expect(ran.size).toBeGreaterThan(cases / 10);
  });
});
