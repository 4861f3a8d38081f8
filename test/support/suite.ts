/** How much is tested: `quick` in the inner loop, `full` with what takes long as well. */
export type Suite = 'quick' | 'usual' | 'full';

/** The suite of a mode of Vitest (`vitest run --mode quick`). */
export const suiteOf = (mode: string | undefined): Suite => (mode === 'quick' || mode === 'full' ? mode : 'usual');

/** The suite that this test runs in. */
export const suite: Suite = suiteOf(process.env.TEST_SUITE);

/** The browsers of tests on the GPU. */
export const browsers = suite === 'quick' ? (['chrome'] as const) : (['chrome', 'firefox'] as const);

/** Whether the case at `index` of a table is run in this suite: all, or in the quick one every tenth. */
export const isChosen = (index: number): boolean => suite !== 'quick' || index % 10 === 0;

/** Why a test is skipped that the quick suite leaves to `npm test`. */
export const leftToUsual = 'left to "npm test"';
