/** One column of the matrix that test/matrix.mjs makes: tables of kernels on a stack that it names. */
import { appendFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { BrowserName } from '../../src/cli/find-browsers.ts';
import { openNodeGpu } from '../../src/node/index.ts';
import type { Precision } from '../../src/planner/plan.ts';
import { enginePage } from '../support/engine-page.ts';
import type { KernelRun, TableResult } from './case.ts';
import type { StackDevice } from './stack-device.ts';

interface Stack {
  readonly name: string;
  readonly where: BrowserName | 'node';
  readonly device: StackDevice;
  readonly precision: Precision;
  /** Unless false: variants too. */
  readonly variants?: false;
}

const { MATRIX_STACK, MATRIX_RESULTS, MATRIX_EVERY = '1' } = process.env;

/** Null in every other suite. */
export const stack: Stack | null = MATRIX_STACK ? JSON.parse(MATRIX_STACK) : null;

/** Tables begin at different places, as in the quick suite; each runs its first case. */
export function isDealt(table: string, index: number): boolean {
  if (stack?.variants === false && table.replace(/^half\//, '').includes('/')) return false;
  const every = Number(MATRIX_EVERY);
  const offset = [...table].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return index === 0 || (index + offset) % every === 0;
}

/** What a device that has less says of a variant that needs more, which tuning then passes over, or of a block, which is not fused. */
const tooLarge =
  /^(DeviceError: .*maxUniformBufferBindingSize|ShaderError: [^\n]*max(ComputeInvocations|ComputeWorkgroupSize))/s;

/** Runs a table and leaves a line of JSON of what became of it. */
export async function runOnStack(kernel: string, runs: readonly KernelRun[]): Promise<void> {
  const { missing, results } = await tableOn(stack!, runs);
  const wrong: string[] = [];
  let [largest, refused] = [0, 0];
  for (const [i, result] of results.entries()) {
    const { title } = runs[i]!.testCase;
    if ('error' in result && tooLarge.test(result.error)) {
      refused++;
      continue;
    }
    if ('error' in result) {
      wrong.push(`${title}: ${result.error.split('\n')[0]}`);
      continue;
    }
    if (!result.ok || result.kernel !== kernel) wrong.push(`${title}: ${JSON.stringify(result)}`);
    // An error of nothing is no share of a bound of nothing.
    if (result.maxError > 0) largest = Math.max(largest, result.maxError / result.bound);
  }
  const line = { stack: stack!.name, kernel, cases: results.length, refused, largest, missing, wrong };
  appendFileSync(MATRIX_RESULTS!, `${JSON.stringify(line)}\n`);
  expect(wrong).toEqual([]);
}

async function tableOn({ where, device }: Stack, runs: readonly KernelRun[]): Promise<TableResult> {
  if (where !== 'node')
    return (await enginePage(where)).call('/test/kernels/run-case.ts', 'runTable', { runs, device });
  const { gpu, reason } = await openNodeGpu();
  if (!gpu) throw new Error(reason);
  const name = 'webgpu';
  const { globals } = await import(/* @vite-ignore */ name);
  // What a page has.
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  return (await import('./run-case.ts')).runTable({ runs, device });
}
