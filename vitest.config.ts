import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { suiteOf } from './test/support/suite.ts';

/** Files of Node that take more than a second or two, or start a command or a build: `npm run test:quick` leaves them out. */
const slow = [
  'test/bench/{onnx-writer,tflite-writer,quantised}.test.ts',
  'test/cli/{classify,commands,inspect,packages}.test.ts',
  'test/loaders/{safetensors,saved-model,streaming,onnx-hostile,onnx-quantised,damaged*}.test.ts',
  'test/models/*.test.ts',
  'test/passes/random-graphs.test.ts',
  'test/roundtrip/*.test.ts',
  'test/structure/build.test.ts',
];

/** Files on the GPU that the quick suite keeps: the case tables of kernels, and one file of whole networks. */
const quickOnGpu = ['test/kernels/*.gpu.test.ts'];

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
