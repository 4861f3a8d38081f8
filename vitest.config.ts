import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { suiteOf } from './test/support/suite.ts';
import { longest, notQuick, notQuickOnGpu } from './test/support/suite-files.ts';

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = longest.findIndex((file) => moduleId.endsWith(`/${file}`));
      return place < 0 ? longest.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig(({ mode }) => {
  const suite = suiteOf(mode);
  const quick = suite === 'quick';
  const leftOut = [
    'Firefox',
    'nine of ten cases of the tables of kernels, and all on float16 storage',
    `what is not a table of kernels on the GPU, and of Node ${notQuick.join(', ')}`,
  ];
  const common = { env: { TEST_SUITE: suite }, maxWorkers: Math.max(2, availableParallelism() - 1) };
  return {
    test: {
      sequence: { sequencer: LongestFirst },
      reporters: ['default', ['./test/support/skip-reporter.ts', { leftOut: quick ? leftOut : [] }]],
      projects: [
        {
          test: {
            ...common,
            name: 'node',
            include: ['test/**/*.test.ts'],
            exclude: ['test/**/*.gpu.test.ts', ...(quick ? notQuick : [])],
            testTimeout: 180_000,
            hookTimeout: 180_000,
            sequence: { groupOrder: 1 },
          },
        },
        {
          test: {
            ...common,
            name: 'gpu',
            include: [quick ? 'test/kernels/*.gpu.test.ts' : 'test/**/*.gpu.test.ts'],
            exclude: quick ? [...notQuickOnGpu] : [],
            globalSetup: ['test/support/gpu-setup.ts'],
            // Two workers, each with one page a browser for all of its files: starting a browser takes longer than most
            // tests, and while one browser compiles on one core the other computes.
            pool: 'forks',
            maxWorkers: 2,
            isolate: false,
            // A test may stand for the whole table of a kernel, in a browser on a loaded machine.
            testTimeout: 900_000,
            hookTimeout: 900_000,
            sequence: { groupOrder: 2 },
          },
        },
      ],
    },
  };
});
