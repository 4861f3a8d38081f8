/** Runs kernel cases in the browser: a graph of one node on the GPU, against the reference. */
import type { Gpu } from '../../src/device/gpu.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { hasByteWeights } from '../../src/graph/layers.ts';
import { type Node, type OpName, writtenBy } from '../../src/graph/ops.ts';
import { inferShapes, sizeOf } from '../../src/graph/shapes.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { EXACT } from '../../src/kernels/kernel.ts';
import { withBytes } from '../../src/passes/byte-weights.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { kernelNamed, layerKey } from '../../src/planner/select.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { probeIntegers } from '../../src/scheduler/integer-probe.ts';
import { poison } from '../../src/scheduler/poison.ts';
import { fusedWithBounds, runWithBound, type Storage } from '../../src/validate/bounds.ts';
import { checkBounds } from '../../src/validate/check-bounds.ts';
import { randomValues as uniformValues } from '../support/random-values.ts';
import type { CaseResult, KernelCase, KernelRun, TableResult } from './case.ts';
import { drawBody } from './integer-cases.ts';
import { openStackDevice, type StackDevice } from './stack-device.ts';
import { storedValues } from './stored-values.ts';

const REPEATS = 3;

let opening: Promise<Gpu> | undefined;

/** The page's device, the same for all tables, probed where stored integers are computed with. */
async function opened(op: OpName, device: StackDevice = 'full'): Promise<Gpu> {
  opening ??= openStackDevice(device);
  const gpu = await opening;
  if (op === 'integer') await probeIntegers(gpu);
  return gpu;
}

/** Uniform in [−range, range), from a seed. */
const randomValues = (length: number, range: number, seed: number): Float32Array =>
  uniformValues(length, seed, -range, range);

export function nodeOf(testCase: KernelCase, seed: number): Node {
  const node = drawn(testCase, seed);
  return hasByteWeights(node) ? withBytes(node) : node;
}

function drawn({ node, inputs, noBias }: KernelCase, seed: number): Node {
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
    case 'conv-transpose2d': {
      const products = node.kernel[0] * node.kernel[1] * channels;
      return {
        ...node,
        ...names,
        weights: randomValues(products * node.outChannels, fanIn(products), seed + 1),
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
      // Each part reads the one before it; a product takes the second input too, the last convolution what is left as its
      // residual. Sums of tiles are a second output beside what they sum.
      let source = names.inputs[0]!;
      let width = channels;
      const others = names.inputs.slice(1);
      const sums = node.parts.some(({ op }) => op === 'sum-tiles');
      const last = node.parts.length - (sums ? 2 : 1);
      const parts = node.parts.map((part, i): Node => {
        const output = i === last ? names.output : `part${i}`;
        const own = { name: `part${i}`, inputs: [source], output };
        source = output;
        const weights = (products: number, outputs: number) => ({
          weights: randomValues(products * outputs, fanIn(products), seed + 20 + i),
          bias: noBias ? null : randomValues(outputs, 1, seed + 30 + i),
        });
        switch (part.op) {
          case 'conv2d': {
            const products = part.kernel[0] * part.kernel[1] * (width / part.groups);
            width = part.outChannels;
            const inputs = i === last ? [...own.inputs, ...others] : own.inputs;
            return { ...part, ...own, inputs, ...weights(products, part.outChannels) };
          }
          case 'fully-connected': {
            const products = width;
            width = part.outFeatures;
            return { ...part, ...own, ...weights(products, part.outFeatures) };
          }
          case 'multiply':
            return { ...part, ...own, inputs: [...own.inputs, others.shift()!] };
          case 'sum-tiles':
            source = names.output;
            return { ...part, ...own, output: 'sums' };
          default:
            return { ...part, ...own } as Node;
        }
      });
      return { op: 'fused', ...names, parts, ...(sums ? { also: ['sums'] } : {}) };
    }
    case 'affine':
      return {
        ...node,
        ...names,
        scale: randomValues(channels, 2, seed + 1),
        shift: randomValues(channels, 2, seed + 2),
      };
    case 'integer':
      return { ...node, ...names, body: drawBody(node.body, inputs, noBias ?? false, seed) };
    case 'prelu':
      return { ...node, ...names, slope: randomValues(channels, 2, seed + 1) };
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
export function graphOf(testCase: KernelCase, seed: number): Graph {
  const node = nodeOf(testCase, seed);
  return {
    name: testCase.title,
    inputs: testCase.inputs.map((shape, i) => ({ name: `x${i}`, shape })),
    outputs: writtenBy(node).map((name) => ({ name, tensor: name })),
    nodes: [node],
  };
}

/** Features that this kernel for an operation needs and the adapter does not have. */
export async function missingFeatures({
  kernel,
  op,
  device,
}: {
  kernel: string;
  op: OpName;
  device?: StackDevice | undefined;
}): Promise<string[]> {
  const gpu = await opened(op, device);
  return (kernelNamed(await allKernels(), kernel, op).requires ?? []).filter(
    (feature) => !gpu.features.includes(feature),
  );
}

/** All runs of one kernel, one after another, on a device of this kind. A run that throws is an error of its own. */
export async function runTable({
  runs,
  device,
}: {
  readonly runs: readonly KernelRun[];
  readonly device?: StackDevice;
}): Promise<TableResult> {
  const [first] = runs;
  const missing = first ? await missingFeatures({ kernel: first.kernel, op: first.testCase.node.op, device }) : [];
  const results: TableResult['results'][number][] = [];
  for (const run of missing.length > 0 ? [] : runs) {
    results.push(await runCase(run).catch((error: Error) => ({ error: `${error.name}: ${error.message}` })));
  }
  return { missing, results };
}

async function runCase(args: KernelRun): Promise<CaseResult> {
  const { testCase, kernel, seed, precision = 'float32', halves = 'all', inexact = false } = args;
  const gpu = await opened(testCase.node.op);
  const graph = graphOf(testCase, seed);
  const node = graph.nodes[0]!;
  const integers = node.op === 'integer' && node.body.kind !== 'quantise';
  const range = testCase.range ?? 2;
  const inputs = Object.fromEntries(
    graph.inputs.map(({ name, shape }, i) => {
      const values = randomValues(sizeOf(shape), integers ? 128 : range, seed + 10 + i);
      return [name, integers ? values.map(Math.floor) : values];
    }),
  );
  const shapes = inferShapes(graph);
  const nodeShapes = { inputs: node.inputs.map((name) => shapes.get(name)!), output: shapes.get('y')! };
  const features = gpu.features.filter((feature) => !(inexact && feature === EXACT));
  const preferences = { features, prefer: [], tuned: { [layerKey(node, nodeShapes)]: kernel } };
  const names = writtenBy(node);
  const half = new Set([
    ...(halves === 'all' || halves === 'inputs' ? node.inputs : []),
    ...(halves === 'all' || halves === 'outputs' ? names : []),
  ]);
  const kernels = await allKernels();
  const plan = createPlan(graph, kernels, { precision, halves: half, aliasing: false, preferences });
  const executor = await Executor.create(gpu, plan, packConstants(graph, plan, kernels));
  try {
    const runs: Record<string, Float32Array>[] = [];
    let notFinite = 0;
    for (let run = 0; run < REPEATS; run++) {
      poison(executor.resources, run % 2 === 1);
      runs.push(await executor.run(inputs));
      for (const name of names) {
        const numbers = await storedValues(executor, name);
        notFinite += numbers.reduce((n, v) => n + (Number.isFinite(v) ? 0 : 1), 0);
      }
    }
    const stored = await Promise.all(
      graph.inputs.map(async ({ name, shape }) => ({ shape, data: await executor.readTensor(name) })),
    );
    const storedAs = (half: boolean): Storage => (precision !== 'float32' && half ? 'f16' : 'f32');
    const storage = {
      weights: kernel.startsWith('byte/') ? ('bytes' as const) : storedAs(true),
      output: storedAs(half.has(node.output)),
      halves: kernel.startsWith('half/'),
      input: storedAs(half.has(node.inputs[0]!)),
    };
    const expected =
      node.op === 'fused'
        ? fusedWithBounds(node, stored, storage)
        : new Map([[node.output, runWithBound(node, stored, storage)]]);
    const checks = names.map((name) => {
      const { output, bound, probable } = expected.get(name)!;
      return checkBounds(runs[0]![name]!, output.data, bound, probable);
    });
    const check = checks.find(({ ok }) => !ok) ?? checks[0]!;
    const repeatable = runs.every((run) =>
      names.every((name) => run[name]!.every((value, i) => Object.is(value, runs[0]![name]![i]))),
    );
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
