/** The shaders of trials, as the bench uses them, on plans that copy. */
import { openGpu } from '../../src/device/gpu.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Affine, Shape } from '../../src/graph/ops.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { TrialBench } from '../../src/scheduler/trial-bench.ts';

export interface BenchCase {
  readonly shape: Shape;
  readonly half: boolean;
  readonly most: number;
  /** What the second plan adds to one channel. */
  readonly channel: number;
  readonly shift: number;
}

/** y = x, with `shift` added in one channel. */
function copying(shape: Shape, channel: number, shift: number): Graph {
  const channels = shape[3];
  const node: Affine = {
    op: 'affine',
    name: 'copy',
    inputs: ['x'],
    output: 'y',
    scale: new Float32Array(channels).fill(1),
    shift: Float32Array.from({ length: channels }, (_, i) => (i === channel ? shift : 0)),
  };
  const outputs = ['x', 'y'].map((tensor) => ({ name: tensor, tensor }));
  return { name: 'copy', inputs: [{ name: 'x', shape }], outputs, nodes: [node] };
}

export async function tryBench({ shape, half, most, channel, shift }: BenchCase) {
  const gpu = await openGpu();
  try {
    const bench = await TrialBench.create(gpu);
    const kernels = await allKernels();
    const open = (graph: Graph) => {
      const halves = new Set(half ? ['x', 'y'] : []);
      const plan = createPlan(graph, kernels, { precision: half ? 'float16-packed' : 'float32', halves });
      return Executor.create(gpu, plan, packConstants(graph, plan, kernels), { arena: bench.arena });
    };
    const same = await open(copying(shape, channel, 0));
    const other = await open(copying(shape, channel, shift));
    const inputs = [{ tensor: 'x', most }];
    const kept = await bench.compare(same.resources, inputs, 'y', { keep: true });
    const x = await same.readTensor('x');
    const again = await bench.compare(same.resources, inputs, 'y');
    const differs = await bench.compare(other.resources, inputs, 'y');
    const whole = await bench.outputsOf(same);
    for (const executor of [same, other]) executor.dispose();
    bench.dispose();
    return { kept, x, again, differs, whole };
  } finally {
    gpu.dispose();
  }
}
