import { describe, expect, it } from 'vitest';
import type { EnginePage } from '../../src/cli/engine-page.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import { allKernels } from '../../src/kernels/index.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { kernelNamed } from '../../src/planner/select.ts';
import { enginePage } from '../support/engine-page.ts';
import type { CaseResult, KernelCase } from './case.ts';
import { graphOf } from './run-case.ts';

const browsers = ['chrome', 'firefox'] as const;

/**
 * Runs a case table in both browsers: each case three times on an arena full of NaN, with fresh random inputs. Every
 * element is written, every run gives the same bits, and each is within its derived bound of the reference.
 */
export function describeKernel(kernel: string, cases: readonly KernelCase[]): void {
  describe.each(browsers)(`${kernel} in %s`, (browser) => {
    it.for(cases.map((testCase, i) => [testCase.title, testCase, i] as const))(
      '%s',
      async ([, testCase, i], { skip }) => {
        const page = await enginePage(browser);
        await requireFeatures(page, kernel, testCase, skip);
        const result = await page.call<CaseResult>('/test/kernels/run-case.ts', 'runCase', {
          testCase,
          kernel,
          seed: 1000 * i + 1,
        });
        expect(result.kernel, 'the kernel that ran').toBe(kernel);
        expect(result, JSON.stringify(testCase)).toMatchObject({
          ok: true,
          unwritten: 0,
          notFinite: 0,
          repeatable: true,
        });
      },
    );
  });
  describeHalf(kernel, cases);
}

/** Skips a test, with its reason, on an adapter that lacks what a kernel requires. */
async function requireFeatures(
  page: EnginePage,
  kernel: string,
  { node }: KernelCase,
  skip: (reason: string) => void,
): Promise<void> {
  const argument = { kernel, op: node.op };
  const missing = await page.call<string[]>('/test/kernels/run-case.ts', 'missingFeatures', argument);
  if (missing.length > 0) skip(`this adapter has no ${missing.join(', ')}`);
}

/** A third of the cases on weights of 16 bits, and tensors, or those read, or those written: native where the adapter has shader-f16, else packed. */
function describeHalf(kernel: string, cases: readonly KernelCase[]): void {
  it.for(browsers)(`${kernel} on float16 storage in %s`, async (browser, { skip }) => {
    const page = await enginePage(browser);
    await requireFeatures(page, kernel, cases[0]!, skip);
    for (const [i, testCase] of cases.entries()) {
      if (i % 3 !== 0) continue;
      const result = await page.call<CaseResult>('/test/kernels/run-case.ts', 'runCase', {
        testCase,
        kernel,
        seed: 1000 * i + 1,
        precision: browser === 'firefox' ? 'float16' : 'float16-packed',
        // A dense input is float32.
        halves: kernelNamed(await allKernels(), kernel, testCase.node.op).readsDense
          ? 'outputs'
          : (['all', 'inputs', 'outputs'] as const)[(i / 3) % 3],
      });
      const expected = { kernel, ok: true, unwritten: 0, notFinite: 0, repeatable: true };
      expect(result, JSON.stringify(testCase)).toMatchObject(expected);
    }
  });
}

/** The cases of a table that each of several kernels for one op can run, run by it. */
export function describeVariants(variants: readonly Kernel[], cases: readonly KernelCase[]): void {
  for (const kernel of variants) {
    const own = cases.filter((testCase) => {
      const graph = graphOf(testCase, 1);
      const shapes = inferShapes(graph);
      const [node] = graph.nodes;
      return kernel.accepts(node!, {
        inputs: node!.inputs.map((name) => shapes.get(name)!),
        output: shapes.get(node!.output)!,
        dense: true,
      });
    });
    it(`${kernel.name} runs a good part of its cases`, () => expect(own.length).toBeGreaterThan(cases.length / 4));
    describeKernel(kernel.name, own);
  }
}
