/** Pictures straight into a network's first convolution, in the browser. */

import { type Gpu, openGpu } from '../../src/device/gpu.ts';
import type { ImageRule } from '../../src/graph/graph.ts';
import type { Conv2d } from '../../src/graph/ops.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import { imageBound } from '../../src/images/image-bound.ts';
import { imageToTensor, type Picture } from '../../src/images/image-to-tensor.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import type { Precision } from '../../src/planner/plan.ts';
import { layerKey } from '../../src/planner/select.ts';
import { runNode } from '../../src/reference/index.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { poison } from '../../src/scheduler/poison.ts';
import { runWithBound } from '../../src/validate/bounds.ts';
import { checkBounds } from '../../src/validate/check-bounds.ts';
import { counted } from '../scheduler/in-page.ts';
import { randomValues } from '../support/random-values.ts';
import type { KernelCase } from './case.ts';
import { graphOf } from './run-case.ts';

export interface StemPictureCase {
  readonly testCase: KernelCase;
  readonly rule: ImageRule;
}

let opening: Promise<Gpu> | undefined;

/**
 * A random picture of the input's size on an arena full of NaN, by this kernel, against the convolution of the tensor of
 * `imageToTensor` on the reference: within the convolution's bound and what errors of `imageBound` make of it. And the
 * same picture mirrored, by the rule that mirrors it back, which goes by way of the tensor.
 */
export async function runStemPicture(args: StemPictureCase & { kernel: string; precision: Precision; seed: number }) {
  const { testCase, rule, kernel, precision, seed } = args;
  opening ??= openGpu();
  const gpu = await opening;
  const graph = graphOf({ ...testCase, inputs: testCase.inputs.slice(0, 1) }, seed);
  const node = graph.nodes[0] as Conv2d;
  const shapes = inferShapes(graph);
  const shape = testCase.inputs[0]!;
  const size = [shape[1], shape[2]] as const;
  const tuned = { [layerKey(node, { inputs: [shape], output: shapes.get('y')! })]: kernel };
  const preferences = { features: [...gpu.device.features], prefer: [], tuned };
  const kernels = await allKernels();
  const plan = createPlan(graph, kernels, { precision, preferences });
  const executor = await Executor.create(gpu, plan, packConstants(graph, plan, kernels));
  try {
    const [height, width] = size;
    const data = Uint8Array.from(randomValues(4 * height * width, seed + 5, 0, 256));
    const picture = { width, height, data };
    await executor.runPicture(picture, rule);
    const runs: Float32Array[] = [];
    const calls = await counted(async () => {
      poison(executor.resources);
      for (let i = 0; i < 3; i++) runs.push((await executor.runPicture(picture, rule)).outputs.y!);
    });
    poison(executor.resources);
    const flipped = { ...rule, flip: true };
    let byTensor = new Float32Array();
    const [prepared, warm] = [
      await executor.runPicture(mirrored(picture), flipped),
      await counted(async () => {
        byTensor = (await executor.runPicture(mirrored(picture), flipped)).outputs.y! as Float32Array<ArrayBuffer>;
      }),
    ];

    const storage = { weights: precision === 'float32' ? 'f32' : 'f16', output: 'f32' } as const;
    const tensor = { shape, data: imageToTensor(picture, rule, size, 3) };
    const { output, bound } = runWithBound(node, [tensor], storage);
    const sums = { ...node, weights: node.weights.map(Math.abs), bias: null, activation: 'none' } as const;
    const wider = runNode(sums, [{ shape, data: imageBound(size, rule, size, 3) }]);
    // 3/2 is the steepest slope of an activation; halves of weights are larger by 2⁻¹¹ at most.
    const both = bound.map((b, i) => b + 1.5 * (1 + 2 ** -8) * wider.data[i]!);
    return {
      straight: checkBounds(runs[0]!, output.data, both, both),
      byTensor: checkBounds(byTensor, output.data, both, both),
      same: runs.every((run) => run.every((value, i) => Object.is(value, runs[0]![i]))),
      again: prepared.outputs.y!.every((value, i) => Object.is(value, byTensor[i])),
      kernel: plan.dispatches[0]!.kernel,
      dispatches: [calls.dispatches / 3, warm.dispatches],
      created: calls.created + warm.created,
    };
  } finally {
    executor.dispose();
  }
}

function mirrored({ width, height, data }: Picture): Picture {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * width + x);
      turned.set(data.subarray(from, from + 4), 4 * (y * width + width - 1 - x));
    }
  }
  return { width, height, data: turned };
}
