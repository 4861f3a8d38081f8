import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** How often each reason was given, most often first: "2 skipped: 1 × …; 1 × …". */
export function skipSummary(reasons: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${count} × ${reason}`);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return `${total} skipped${total > 0 ? `: ${parts.join('; ')}` : ''}`;
}

/**
 * Ends a run with the number of skipped tests, by reason, and what the suite left out. A test that is skipped without a
 * reason fails the run, unless names were chosen (`-t`), which skips the others.
 */
export default class SkipReporter implements Reporter {
  readonly #leftOut: readonly string[];
  #vitest: Vitest | undefined;

  constructor({ leftOut = [] }: { readonly leftOut?: readonly string[] } = {}) {
    this.#leftOut = leftOut;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    const filtered = this.#vitest?.config.testNamePattern !== undefined;
    const noteOf = (test: TestCase): string | undefined => {
      const result = test.result();
      return result.state === 'skipped' ? result.note : undefined;
    };
    const without = filtered ? [] : skipped.filter((test) => !noteOf(test));
    const reasons = skipped.map(
      (test) => noteOf(test) ?? (filtered ? 'not among the chosen names' : 'no reason given'),
    );
    const lines = [
      skipSummary(reasons),
      ...without.map((test) => `skipped without a reason: ${test.module.relativeModuleId}: ${test.fullName}`),
      ...(this.#leftOut.length > 0 ? [`left to "npm test": ${this.#leftOut.join('; ')}`] : []),
    ];
    if (without.length > 0) process.exitCode = 1;
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}
