import { describe, expect, it } from 'vitest';
import type { BrowserName } from '../../src/cli/find-browsers.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import { allKernels } from '../../src/kernels/index.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { kernelNamed } from '../../src/planner/select.ts';
import { enginePage } from '../support/engine-page.ts';
import { browsers, isChosen, leftToUsual, suite } from '../support/suite.ts';
import type { CaseResult, KernelCase, KernelRun, TableResult } from './case.ts';
import { isDealt, runOnStack, stack } from './matrix.ts';
import { graphOf } from './run-case.ts';

const kernels = await allKernels();

const expected = { ok: true, unwritten: 0, notFinite: 0, repeatable: true };

/** Which cases of a table a browser runs. */
type Deal = (browser: BrowserName, index: number) => boolean;

/**
 * Runs a case table in both browsers, each in one call of its page: each case three times on an arena full of NaN, with
 * fresh random inputs. Every element is written, every run gives the same bits, and each is within its derived bound of
 * the reference. A third of the cases, in the full suite all, run again on
 * float16 storage; those on stored integers as on a device whose floats are not exact.
 */
export function describeKernel(kernel: string, cases: readonly KernelCase[], dealt: Deal = () => true): void {
  const inHalves = kernel.startsWith('half/');
  if (stack) {
    const { precision } = stack;
    const dealtHere = cases.map((testCase, i) => [{ testCase, kernel, seed: 1000 * i + 1 }, i] as const);
    const runs = dealtHere
      .filter(([, i]) => isDealt(kernel, i))
      .map(([run, i]) => (precision === 'float32' ? run : onHalves(run, i % 3, precision === 'float16')));
    const runsHere = precision === 'float32' ? !inHalves : !onIntegers(cases) && (precision === 'float16' || !inHalves);
    it.skipIf(!runsHere || runs.length === 0)(`${kernel} on ${stack.name}`, () => runOnStack(kernel, runs));
    return;
  }
  describe.each(browsers)(`${kernel} in %s`, (browser) => {
    const native = browser === 'firefox';
    const straight = cases.flatMap((testCase, i): KernelRun[] => {
      if (!dealt(browser, i)) return [];
      const run: KernelRun = { testCase, kernel, seed: 1000 * i + 1 };
      return [inHalves ? onHalves(run, i % 3, native) : run];
    });
    const every = suite === 'full' ? 1 : 3;
    const other = onIntegers(cases) ? (run: KernelRun) => ({ ...run, inexact: true }) : onHalves;
    const halves = (inHalves ? [] : straight).flatMap((run, i) =>
      i % every === 0 ? [other(run, (i / every) % 3, native)] : [],
    );
    const runs = [...straight.filter((_, i) => isChosen(kernel, i)), ...(suite === 'quick' ? [] : halves)];
    let running: Promise<TableResult> | undefined;
    /** The first test that asks runs the table. */
    const resultOf = async (run: KernelRun, skip: (reason: string) => void): Promise<CaseResult> => {
      running ??= enginePage(browser).then((page) => page.call('/test/kernels/run-case.ts', 'runTable', { runs }));
      const { missing, results } = await running;
      if (missing.length > 0) skip(`no ${missing.join(', ')} in ${browser}`);
      const result = results[runs.indexOf(run)]!;
      if ('error' in result) throw new Error(`${JSON.stringify(run.testCase)}: ${result.error}`);
      return result;
    };

    it.for(straight.map((run, i) => [run.testCase.title, run, i] as const))('%s', async ([, run, i], { skip }) => {
      if (!isChosen(kernel, i)) return skip(leftToUsual);
      const result = await resultOf(run, skip);
      expect(result.kernel, 'the kernel that ran').toBe(kernel);
      expect(result, JSON.stringify(run.testCase)).toMatchObject(expected);
    });

    if (inHalves) return;
    it(`${every === 1 ? 'all' : 'a third'} of the cases ${onIntegers(cases) ? 'without exact floats' : 'on float16 storage'}`, async ({
      skip,
    }) => {
      if (suite === 'quick') return skip(leftToUsual);
      for (const run of halves) {
        expect(await resultOf(run, skip), JSON.stringify(run.testCase)).toMatchObject({ ...expected, kernel });
      }
    });
  });
}

/** Whether a table is of stored integers, for which float16 storage is nothing. */
const onIntegers = ([first]: readonly KernelCase[]): boolean => first?.node.op === 'integer';

/**
 * A case on weights of 16 bits, and tensors, or those read, or those written: native where the adapter has shader-f16, else
 * packed.
 */
function onHalves(run: KernelRun, turn: number, native: boolean): KernelRun {
  // A dense input is float32.
  const { readsDense } = kernelNamed(kernels, run.kernel, run.testCase.node.op);
  const inHalves = run.kernel.startsWith('half/');
  // Depthwise convolutions compute in halves where they read them.
  const some =
    run.kernel.includes('depthwise') && inHalves
      ? (['all', 'inputs', 'all'] as const)
      : (['all', 'inputs', 'outputs'] as const);
  return {
    ...run,
    precision: native || inHalves ? 'float16' : 'float16-packed',
    // A range of thousands leaves what halves can store.
    halves: (run.testCase.range ?? 0) > 1000 ? 'none' : readsDense ? 'outputs' : some[turn]!,
  };
}

/** The kernels that compute in halves in the place of this one and its variants, or of those of a table with its own name. */
export const inHalvesOf = (name: string): readonly Kernel[] =>
  kernels.inHalves.filter((kernel) => kernel.name.split('/')[1] === name);

/**
 * The cases of a table that each of several kernels for one op can run, run by it. The first kernel is the usual one. The
 * others are its text with other numbers: each case of theirs runs in one of the two browsers, in the full suite in both.
 */
export function describeVariants(variants: readonly Kernel[], cases: readonly KernelCase[]): void {
  for (const [place, kernel] of variants.entries()) {
    const all = place === 0 || suite !== 'usual' || (kernel.requires ?? []).length > 0;
    const dealt: Deal = (browser, i) => all || (i + place) % 2 === (browser === 'chrome' ? 0 : 1);
    const own = cases.filter((testCase) => {
      const graph = graphOf(testCase, 1);
      const shapes = inferShapes(graph);
      const [node] = graph.nodes;
      return kernel.accepts(node!, {
        inputs: node!.inputs.map((name) => shapes.get(name)!),
        output: shapes.get(node!.output)!,
        dense: true,
        half: true,
      });
    });
    if (!stack)
      it(`${kernel.name} runs a good part of its cases`, () => expect(own.length).toBeGreaterThan(cases.length / 4));
    describeKernel(kernel.name, own, dealt);
  }
}
