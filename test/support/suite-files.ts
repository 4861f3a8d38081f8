/** Which test files are slow; figures of two cores. */

const files = (names: readonly string[]): readonly string[] => names.map((name) => `test/${name}.test.ts`);

/** Files of Node that take more than a second or two, or start a command or a build: the quick suite leaves them out. */
export const notQuick = files([
  ...['bench/onnx-writer', 'bench/quantised', 'writers/tflite'],
  ...['classify', 'inspect', 'table', 'webgpu-package'].map((name) => `cli/${name}`),
  ...['damaged', 'onnx/hostile', 'onnx/quantised', 'safetensors/damaged'].map((name) => `loaders/${name}`),
  ...['safetensors/safetensors', 'saved-model/saved-model', 'streaming'].map((name) => `loaders/${name}`),
  ...['tfjs/damaged-layers', 'tfjs/object-detection', 'tflite/damaged'].map((name) => `loaders/${name}`),
  ...['gutenye', 'imagenet', 'family', 'quantised', 'quantised-onnx', 'quantised-tflite', 'tasks', 'zoo'].map(
    (name) => `models/${name}`,
  ),
  'passes/random-graphs',
  'roundtrip/architectures',
  ...['package/command', 'package/package', 'structure/build', 'structure/readme', 'transfer/transfer'],
  'support/cost',
  ...['centernet', 'movenet', 'posenet'].map((name) => `tasks/${name}`),
  'tuning/warm-up',
]);

/** Tests of kernels on the GPU that are no tables of cases. */
export const notQuickOnGpu = files(
  ['conv-stem-picture', 'image-to-tensor', 'rank-classes', 'tensor-layout'].map((name) => `kernels/${name}.gpu`),
);

/** What takes longest, begun first: the workers then end at about the same time. */
export const longest = files([
  'demo/page.gpu',
  'models/zoo.gpu',
  ...['conv-stem-picture', 'conv-pointwise', 'conv-depthwise', 'conv-stem', 'conv-direct'].map(
    (name) => `kernels/${name}.gpu`,
  ),
  'tuning/tuner.gpu',
  'scheduler/executor.gpu',
  ...['conv-any', 'universal-bottleneck', 'expand-depthwise'].map((name) => `kernels/${name}.gpu`),
  'models/zoo',
  'cli/inspect',
  'loaders/safetensors/safetensors',
  'roundtrip/architectures',
  'loaders/saved-model/saved-model',
]);
