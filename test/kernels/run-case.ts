/** Runs kernel cases in the browser: a graph of one node on the GPU, against the reference. */
import { type Gpu, openGpu } from '../../src/device/gpu.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Node, OpName } from '../../src/graph/ops.ts';
import { inferShapes, sizeOf } from '../../src/graph/shapes.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import type { Precision } from '../../src/planner/plan.ts';
import { kernelNamed, layerKey } from '../../src/planner/select.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { runWithBound } from '../../src/validate/bounds.ts';
import { checkBounds } from '../../src/validate/compare.ts';
import type { CaseResult, KernelCase } from './case.ts';

const REPEATS = 3;

let opening: Promise<Gpu> | undefined;

/** Uniform in [−range, range), from a seed. */
function randomValues(length: number, range: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return range * (2 * (state / 2 ** 32) - 1);
  });
}

export function nodeOf({ node, inputs, noBias }: KernelCase, seed: number): Node {
  const channels = inputs[0]![3];
  const fanIn = (count: number) => 2 / Math.sqrt(count);
  const names = { name: 'node', inputs: inputs.map((_, i) => `x${i}`), output: 'y' };
  switch (node.op) {
    case 'conv2d': {
      const taps = node.kernel[0] * node.kernel[1] * (channels / node.groups);
      return {
        ...node,
        ...names,
        weights: randomValues(taps * node.outChannels, fanIn(taps), seed + 1),
        bias: noBias ? null : randomValues(node.outChannels, 1, seed + 2),
      };
    }
    case 'fully-connected': {
      const features = inputs[0]![1] * inputs[0]![2] * channels;
      return {
        ...node,
        ...names,
        weights: randomValues(features * node.outFeatures, fanIn(features), seed + 1),
        bias: noBias ? null : randomValues(node.outFeatures, 1, seed + 2),
      };
    }
    case 'fused': {
      // Each part reads the one before it; a second input is the residual of the last.
      let source = names.inputs[0]!;
      let width = channels;
      const parts = node.parts.map((part, i): Node => {
        if (part.op !== 'conv2d') throw new Error(`a case fuses ${part.op}`);
        const last = i === node.parts.length - 1;
        const taps = part.kernel[0] * part.kernel[1] * (width / part.groups);
        const made: Node = {
          ...part,
          name: `part${i}`,
          inputs: last ? [source, ...names.inputs.slice(1)] : [source],
          output: last ? names.output : `part${i}`,
          weights: randomValues(taps * part.outChannels, fanIn(taps), seed + 20 + i),
          bias: noBias ? null : randomValues(part.outChannels, 1, seed + 30 + i),
        };
        source = made.output;
        width = part.outChannels;
        return made;
      });
      return { op: 'fused', ...names, parts };
    }
    case 'affine':
      return {
        ...node,
        ...names,
        scale: randomValues(channels, 2, seed + 1),
        shift: randomValues(channels, 2, seed + 2),
      };
    case 'batch-norm':
      return {
        ...node,
        ...names,
        scale: randomValues(channels, 2, seed + 1),
        shift: randomValues(channels, 2, seed + 2),
        mean: randomValues(channels, 1, seed + 3),
        variance: randomValues(channels, 1, seed + 4).map((value) => Math.abs(value) + 0.05),
      };
    default:
      return { ...node, ...names } as Node;
  }
}

/** A graph of the case's one node. */
export const graphOf = (testCase: KernelCase, seed: number): Graph => ({
  name: testCase.title,
  inputs: testCase.inputs.map((shape, i) => ({ name: `x${i}`, shape })),
  outputs: [{ name: 'y', tensor: 'y' }],
  nodes: [nodeOf(testCase, seed)],
});

/** Features that this kernel for an operation needs and the adapter does not have. */
export async function missingFeatures({ kernel, op }: { kernel: string; op: OpName }): Promise<string[]> {
  opening ??= openGpu();
  const { device } = await opening;
  return (kernelNamed(kernel, op).requires ?? []).filter((feature) => !device.features.has(feature));
}

export async function runCase(args: {
  readonly testCase: KernelCase;
  /** The kernel to run it. */
  readonly kernel: string;
  readonly seed: number;
  readonly precision?: Precision;
}): Promise<CaseResult> {
  const { testCase, kernel, seed, precision = 'float32' } = args;
  opening ??= openGpu();
  const gpu = await opening;
  const graph = graphOf(testCase, seed);
  const node = graph.nodes[0]!;
  const range = testCase.range ?? 2;
  const inputs = Object.fromEntries(
    graph.inputs.map(({ name, shape }, i) => [name, randomValues(sizeOf(shape), range, seed + 10 + i)]),
  );
  const shapes = inferShapes(graph);
  const nodeShapes = { inputs: node.inputs.map((name) => shapes.get(name)!), output: shapes.get('y')! };
  const features = [...gpu.device.features];
  const preferences = { features, prefer: [], tuned: { [layerKey(node, nodeShapes)]: kernel } };
  const plan = createPlan(graph, { precision, aliasing: false, preferences });
  const executor = await Executor.create(gpu, plan, packConstants(graph, plan));
  try {
    const runs: Float32Array[] = [];
    let notFinite = 0;
    for (let run = 0; run < REPEATS; run++) {
      executor.poison();
      runs.push((await executor.run(inputs)).y!);
      notFinite = (await executor.readTensor('y', { raw: true })).reduce((n, v) => n + (Number.isFinite(v) ? 0 : 1), 0);
    }
    const stored = await Promise.all(
      graph.inputs.map(async ({ name, shape }) => ({ shape, data: await executor.readTensor(name) })),
    );
    const { output, bound, probable } = runWithBound(node, stored, {
      storage: precision === 'float32' ? 'f32' : 'f16',
    });
    const check = checkBounds(runs[0]!, output.data, bound, probable);
    const repeatable = runs.every((run) => run.every((value, i) => Object.is(value, runs[0]![i])));
    return {
      ...check,
      kernel: plan.dispatches[0]!.kernel,
      notFinite,
      repeatable,
      ok: check.ok && repeatable && notFinite === 0,
    };
  } finally {
    executor.dispose();
  }
}
