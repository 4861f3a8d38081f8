import type { Gpu } from '../device/gpu.ts';
import type { Graph } from '../graph/graph.ts';
import type { Conv2d, Shape } from '../graph/ops.ts';
import { seededUniform } from '../graph/random.ts';
import { inferShapes, sizeOf } from '../graph/shapes.ts';
import { createPlan, packConstants } from '../planner/create-plan.ts';
import type { Precision } from '../planner/plan.ts';
import { layerKey } from '../planner/select.ts';
import { Executor } from '../scheduler/executor.ts';
import { poison } from '../validate/poison.ts';

/**
 * One layer with made-up values, for trying kernels on: weights, inputs and bias are positive and small enough that
 * Σ|w·x| + |bias| ≤ 1 for every output. So the sum is its own Σ|w·x|, no activation saturates above, and one number
 * bounds what two right kernels may differ by.
 */
export class Trial {
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, Float32Array>>;
  /** Most that the outputs of two right kernels may differ by. */
  readonly tolerance: number;

  constructor(node: Conv2d, inputs: readonly Shape[], precision: Precision) {
    const products = node.kernel[0] * node.kernel[1] * (inputs[0]![3] / node.groups);
    const random = seededUniform(1);
    const fill = (length: number, most: number) => Float32Array.from({ length }, () => most * random());
    this.graph = {
      name: `trial of ${node.name}`,
      inputs: inputs.map((shape, i) => ({ name: `x${i}`, shape })),
      outputs: [{ name: 'y', tensor: 'y' }],
      nodes: [
        {
          ...node,
          inputs: inputs.map((_, i) => `x${i}`),
          output: 'y',
          weights: fill(node.weights.length, 0.9 / products),
          bias: fill(node.outChannels, 0.1),
        },
      ],
    };
    this.inputs = Object.fromEntries(inputs.map((shape, i) => [`x${i}`, fill(sizeOf(shape), 1)]));
    // (K + 8) roundings of a sum of at most 1, by each of the two; activations steepen it by less than 1.2 (hard-swish);
    // a residual of at most 1 is added. Stored as float16 each is rounded once more, a weight and an input too.
    const roundings = 1.2 * (products + 8) * 2 ** -24;
    this.tolerance = 2 * (roundings + (precision === 'float32' ? 0 : 2 * 2 ** -11));
  }

  /** The layer on the GPU by this kernel. */
  async open(gpu: Gpu, precision: Precision, kernel: string): Promise<Executor> {
    const [node] = this.graph.nodes;
    const shapes = inferShapes(this.graph);
    const key = layerKey(node!, { inputs: node!.inputs.map((name) => shapes.get(name)!), output: shapes.get('y')! });
    const preferences = { features: gpu.adapter.features, prefer: [], tuned: { [key]: kernel } };
    const plan = createPlan(this.graph, {
      precision,
      preferences,
      halves: new Set([...Object.keys(this.inputs), 'y']),
    });
    return Executor.create(gpu, plan, packConstants(this.graph, plan), { withinTimed: true });
  }

  /** Its output, from an arena full of NaN, so that what no invocation writes shows. */
  async output(executor: Executor): Promise<Float32Array> {
    poison(executor.resources);
    return (await executor.run(this.inputs)).y!;
  }
}

/** Whether two outputs agree; NaN never does. */
export const agree = (a: Float32Array, b: Float32Array, tolerance: number): boolean =>
  a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) <= tolerance);
