/** What one element that is no number does to the outputs of a convolution, in the browser. */
import { type Gpu, openGpu } from '../../src/device/gpu.ts';
import type { Conv2d } from '../../src/graph/ops.ts';
import { inferShapes, sizeOf } from '../../src/graph/shapes.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { candidates, layerKey } from '../../src/planner/select.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { randomValues } from '../support/random-values.ts';
import type { KernelCase } from './case.ts';
import { graphOf } from './run-case.ts';

let opening: Promise<Gpu> | undefined;

export interface Spread {
  readonly kernel: string;
  /** Outputs that do not read the element, and are not what they are without it. */
  readonly touched: number;
}

/** Each kernel that runs the case, with `value` in the first element of the place [y, x]. */
export async function spread({
  testCase,
  at: [y, x],
  value,
}: {
  readonly testCase: KernelCase;
  readonly at: readonly [number, number];
  readonly value: 'NaN' | 'Infinity' | '-Infinity';
}): Promise<Spread[]> {
  opening ??= openGpu();
  const gpu = await opening;
  const graph = graphOf(testCase, 5);
  const node = graph.nodes[0] as Conv2d;
  const all = inferShapes(graph);
  const [input, output] = [all.get('x0')!, all.get('y')!];
  const shapes = { inputs: [input], output, dense: true };
  const registry = await allKernels();
  const features = [...gpu.device.features];
  const starting = registry.starting.filter((kernel) => kernel.op === node.op && kernel.accepts(node, shapes));
  const kernels = [...candidates(registry, node, shapes, features), ...starting].filter((kernel) =>
    (kernel.requires ?? []).every((feature) => features.includes(feature)),
  );
  const sound = randomValues(sizeOf(input), 3);
  const place = (y * input[2] + x) * input[3];
  const harmed = sound.slice();
  harmed[place] = Number(value);
  /** Whether an output of this row and column, in this channel, reads it. */
  const reads = (row: number, column: number, channel: number) => {
    const tap = (out: number, size: number, axis: 0 | 1, before: number) => {
      const offset = size + before - out * node.stride[axis];
      return offset >= 0 && offset % node.dilation[axis] === 0 && offset / node.dilation[axis] < node.kernel[axis];
    };
    const own = node.groups === 1 || channel < node.outChannels / node.groups;
    return own && tap(row, y, 0, node.padding.top) && tap(column, x, 1, node.padding.left);
  };
  const found: Spread[] = [];
  for (const { name } of kernels) {
    const preferences = { features, prefer: [], tuned: { [layerKey(node, shapes)]: name } };
    const plan = createPlan(graph, registry, { preferences });
    const executor = await Executor.create(gpu, plan, packConstants(graph, plan, registry));
    // `run` refuses such inputs; inside a network they may arise.
    const outputOf = (values: Float32Array): Promise<Float32Array> => {
      executor.upload([values]);
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      executor.resources.encode(pass);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      return executor.readTensor('y');
    };
    const [without, withIt] = [await outputOf(sound), await outputOf(harmed)];
    executor.dispose();
    let touched = 0;
    for (let i = 0; i < withIt.length; i++) {
      const pixel = Math.floor(i / output[3]);
      const read = reads(Math.floor(pixel / output[2]), pixel % output[2], i % output[3]);
      if (!read && !Object.is(withIt[i], without[i])) touched++;
    }
    found.push({ kernel: plan.dispatches[0]!.kernel, touched });
  }
  return found;
}
