import { expect, it, vi } from 'vitest';
import type { TestModule, Vitest } from 'vitest/node';
import SkipReporter, { skipSummary } from './skip-reporter.ts';

/** What the reporter writes, and the exit code that it leaves, for tests skipped with these reasons. */
function report(notes: readonly (string | undefined)[], { pattern, leftOut = [] as string[] } = {} as Options) {
  const tests = notes.map((note, i) => ({
    fullName: `test ${i}`,
    module: { relativeModuleId: 'a.test.ts' },
    result: () => ({ state: 'skipped', note }),
  }));
  const reporter = new SkipReporter({ leftOut });
  reporter.onInit({ config: { testNamePattern: pattern } } as unknown as Vitest);
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const before = process.exitCode;
  reporter.onTestRunEnd([{ children: { allTests: () => tests } } as unknown as TestModule]);
  const code = process.exitCode;
  process.exitCode = before;
  const text = write.mock.calls.map(([written]) => written).join('');
  write.mockRestore();
  return { text, failed: code === 1 };
}

interface Options {
  readonly pattern?: RegExp;
  readonly leftOut?: string[];
}

it('counts skipped tests by their reasons, most frequent first', () => {
  expect(skipSummary([])).toBe('0 skipped');
  expect(skipSummary(['no model', 'no shader-f16', 'no shader-f16'])).toBe(
    '3 skipped: 2 × no shader-f16; 1 × no model',
  );
});

it('ends a run with them, and with what the suite left out', () => {
  expect(report(['no model'])).toEqual({ text: '1 skipped: 1 × no model\n', failed: false });
  expect(report([], { leftOut: ['Firefox', 'x'] }).text).toBe('0 skipped\nleft to "npm test": Firefox; x\n');
});

it('fails a run with a test that is skipped for no reason, unless names were chosen', () => {
  const { text, failed } = report(['no model', undefined]);
  expect(failed).toBe(true);
  expect(text).toContain('skipped without a reason: a.test.ts: test 1\n');
  expect(report([undefined], { pattern: /other/ })).toEqual({
    text: '1 skipped: 1 × not among the chosen names\n',
    failed: false,
  });
});
