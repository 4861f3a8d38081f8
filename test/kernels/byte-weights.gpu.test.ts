import { suite } from '../support/suite.ts';
import type { KernelCase } from './case.ts';
import { describeVariants, inBytesOf } from './describe-kernel.ts';
import { directCases } from './direct-cases.ts';
import { pointwiseCases } from './pointwise-cases.ts';
import { layerCases, pixelCases } from './product-cases.ts';
import { stemCases } from './stem-cases.ts';

/** Of each shader, by a buffer and by a texture, with and without lanes that hand weights round; all of them in the full suite. */
const chosen = [
  ...['conv-pointwise', 'conv-pointwise/p4-c16-buffer-channels', 'conv-pointwise/p4-c16-buffer-broadcast'],
  ...['conv-pointwise/p7-c24-texture-broadcast-software', 'conv-pointwise/p4-c16-texture-software'],
  ...['conv-stem', 'conv-stem/p7-c16-texture-broadcast-software', 'conv-stem/p7-c16-texture-software'],
  ...['conv-direct', 'conv-direct/p7-c16-texture-broadcast-software', 'conv-direct/p4-c16-texture'],
  ...['conv-any/p4-c8-texture-broadcast-software', 'conv-any/p2-c8-texture-software'],
  ...['fully-connected', 'fully-connected/4x1-texture', 'matrix-vector', 'matrix-vector/4x1-texture'],
].map((name) => `byte/${name}`);

/** Kernels that read weights as bytes, on the cases of those that read floats; in `npm test` on a third of them. */
function describeBytes(name: string, cases: readonly KernelCase[]): void {
  const every = suite === 'full' ? 1 : 3;
  describeVariants(
    inBytesOf(name).filter((kernel) => suite === 'full' || chosen.includes(kernel.name)),
    cases
      .filter((_, i) => i % every === 0)
      .map((testCase) => ({ ...testCase, node: { ...testCase.node, weightsAs: 'int8' } as KernelCase['node'] })),
  );
}

describeBytes('conv-pointwise', pointwiseCases);
describeBytes('conv-stem', stemCases);
describeBytes('conv-direct', directCases);
describeBytes('conv-any', [...directCases, ...pointwiseCases]);
describeBytes('fully-connected', layerCases);
describeBytes('matrix-vector', pixelCases);
