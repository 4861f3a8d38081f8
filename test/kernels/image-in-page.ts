import { openGpu } from '../../src/device/gpu.ts';
import type { Graph, ImageRule } from '../../src/graph/graph.ts';
import { imageBound } from '../../src/images/image-bound.ts';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { layerKey } from '../../src/planner/select.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { poison } from '../../src/scheduler/poison.ts';
import { checkBounds } from '../../src/validate/check-bounds.ts';
import { randomValues } from '../support/random-values.ts';

export interface ImageCase {
  readonly picture: readonly [height: number, width: number];
  readonly size: readonly [height: number, width: number];
  readonly rule: ImageRule;
}

/**
 * A random picture on the GPU, against the CPU, within its bound. The tensor passes a clip that changes nothing; where it
 * is dense, a convolution that copies it.
 */
export async function runImageCase({ picture: [height, width], size, rule, dense }: ImageCase & { dense: boolean }) {
  const channels = rule.channels === 'grey' ? 1 : 3;
  const shape = [1, size[0], size[1], channels] as const;
  const graph: Graph = {
    name: 'picture',
    inputs: [{ name: 'x', shape }],
    outputs: [{ name: 'y', tensor: 'y' }],
    nodes: [
      dense
        ? {
            op: 'conv2d',
            name: 'same',
            inputs: ['x'],
            output: 'y',
            kernel: [1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            padding: { top: 0, left: 0, bottom: 0, right: 0 },
            groups: 1,
            outChannels: channels,
            weights: Float32Array.from({ length: channels ** 2 }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0)),
            bias: null,
            activation: 'none',
          }
        : { op: 'clip', name: 'same', inputs: ['x'], output: 'y', min: -1e30, max: 1e30 },
    ],
  };
  const data = Uint8Array.from(randomValues(4 * height * width, 12345, 0, 256));
  const gpu = await openGpu();
  const tuned = { [layerKey(graph.nodes[0]!, { inputs: [shape], output: shape })]: 'conv-stem' };
  const kernels = await allKernels();
  const plan = createPlan(graph, kernels, { preferences: { features: [], prefer: [], tuned } });
  const executor = await Executor.create(gpu, plan, packConstants(graph, plan, kernels));
  poison(executor.resources);
  const picture = { width, height, data };
  const run = async () => (await executor.runPicture(picture, rule)).outputs.y!;
  const [first, again] = [await run(), await run()];
  const expected = imageToTensor(picture, rule, size, channels);
  const bound = imageBound([height, width], rule, size, channels);
  const repeatable = first.every((value, i) => Object.is(value, again[i]));
  gpu.dispose();
  const stored = plan.tensors.x!.dense ?? false;
  return { ...checkBounds(first, expected, bound, bound), repeatable, dense: stored };
}
