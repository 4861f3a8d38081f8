import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { suiteOf } from './test/support/suite.ts';

/** Files of Node that take more than a second or two, or start a command or a build: `npm run test:quick` leaves them out. */
const slow = [
  'test/bench/{onnx-writer,tflite-writer,quantised}.test.ts',
  'test/cli/{classify,inspect,table,webgpu-package}.test.ts',
  'test/loaders/{safetensors,saved-model,streaming,onnx-hostile,onnx-quantised,damaged*}.test.ts',
  'test/models/*.test.ts',
  'test/passes/random-graphs.test.ts',
  'test/roundtrip/*.test.ts',
  'test/structure/build.test.ts',
  'test/tasks/{detect,pose}.test.ts',
  'test/tuning/warm-up.test.ts',
];

/** Files on the GPU that the quick suite keeps: the case tables of kernels. */
const quickOnGpu = ['test/kernels/!(conv-stem-picture|image-to-tensor|rank-classes).gpu.test.ts'];

/** What takes longest, begun first: two workers then end at about the same time. */
const longest = [
  'demo/page.gpu',
  'models/zoo.gpu',
  'kernels/conv-stem-picture.gpu',
  'kernels/conv-pointwise.gpu',
  'kernels/conv-depthwise.gpu',
  'kernels/conv-stem.gpu',
  'kernels/conv-direct.gpu',
  'tuning/tuner.gpu',
  'scheduler/executor.gpu',
  'kernels/conv-any.gpu',
  'kernels/universal-bottleneck.gpu',
  'kernels/expand-depthwise.gpu',
  'models/zoo',
  'cli/inspect',
  'loaders/safetensors',
  'roundtrip/architectures',
  'loaders/saved-model',
].map((name) => `/test/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = longest.findIndex((name) => moduleId.endsWith(name));
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
    'nine of ten cases of every table of kernels',
    `files: ${slow.join(', ')}, and on the GPU all but ${quickOnGpu.join(', ')}`,
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
            exclude: ['test/**/*.gpu.test.ts', ...(quick ? slow : [])],
            testTimeout: 180_000,
            sequence: { groupOrder: 1 },
          },
        },
        {
          test: {
            ...common,
            name: 'gpu',
            include: quick ? quickOnGpu : ['test/**/*.gpu.test.ts'],
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
