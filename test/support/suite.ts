/** How much is tested: `quick` in the inner loop, `full` with what takes long as well. */
export type Suite = 'quick' | 'usual' | 'full';

/** The suite of a mode of Vitest (`vitest run --mode quick`). */
export const suiteOf = (mode: string | undefined): Suite => (mode === 'quick' || mode === 'full' ? mode : 'usual');

/** The suite that this test runs in. */
export const suite: Suite = suiteOf(process.env.TEST_SUITE);

/** The browsers of tests on the GPU. */
export const browsers = suite === 'quick' ? (['chrome'] as const) : (['chrome', 'firefox'] as const);

/**
 * Whether the case at `index` of a table runs in this suite: all, or in the quick one every tenth, always the same. Tables
 * begin at different places, so that short ones do not all give their first.
 */
export function isChosen(table: string, index: number): boolean {
  const offset = [...table].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return suite !== 'quick' || (index + offset) % 10 === 0;
}

/** Why a test is skipped that the quick suite leaves to `npm test`. */
export const leftToUsual = 'left to "npm test"';
