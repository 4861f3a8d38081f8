import { expect, it } from 'vitest';
import { Random } from '../../src/architectures/random.ts';
import { networkCost } from '../../src/graph/cost.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Activation, Node, NodeOf, OpName, Padding, Permutation, Shape } from '../../src/graph/ops.ts';
import { seededInputs } from '../../src/graph/random-inputs.ts';
import { inferShapes, sizeOf } from '../../src/graph/shapes.ts';
import { absorbPad } from '../../src/passes/absorb-pad.ts';
import { foldBatchNorm } from '../../src/passes/fold-batch-norm.ts';
import { fuseActivation } from '../../src/passes/fuse-activation.ts';
import { fuseBlocks } from '../../src/passes/fuse-blocks.ts';
import { fuseResidual } from '../../src/passes/fuse-residual.ts';
import { runPasses } from '../../src/passes/index.ts';
import type { Pass } from '../../src/passes/pass.ts';
import { isPlain, runPlainPasses } from '../../src/passes/plain.ts';
import { recogniseActivations } from '../../src/passes/recognise-activations.ts';
import { removeDeadNodes } from '../../src/passes/remove-dead-nodes.ts';
import { scaleClips } from '../../src/passes/scale-clips.ts';
import { simplifyConcats } from '../../src/passes/simplify-concats.ts';
import { simplifyShapes } from '../../src/passes/simplify-shapes.ts';
import { sinkScales } from '../../src/passes/sink-scales.ts';
import { sinkTransposes } from '../../src/passes/sink-transposes.ts';
import { runGraph } from '../../src/reference/index.ts';

const passes: Record<string, Pass> = {
  removeDeadNodes,
  recogniseActivations,
  absorbPad,
  sinkTransposes,
  simplifyConcats,
  simplifyShapes,
  foldBatchNorm,
  scaleClips,
  sinkScales,
  fuseActivation,
  fuseResidual,
  runPasses,
  'runPasses, then fuseBlocks': (graph) => fuseBlocks(runPasses(graph), () => true),
};

const activations: readonly Activation[] = ['relu', 'relu6', 'hard-swish', 'hard-sigmoid', 'sigmoid'];

/** A node without its names. */
type Draft = { [O in OpName]: Omit<NodeOf<O>, 'name' | 'output'> }[OpName];

/** A graph of up to 14 nodes over tensors of at most 7×7×8, in patterns that the passes look for and near misses. */
function randomGraph(seed: number): Graph {
  const random = new Random(seed);
  const below = (n: number) => Math.floor(random.uniform() * n);
  const pick = <const T>(values: readonly T[]): T => values[below(values.length)]!;
  const often = (p: number) => random.uniform() < p;
  const normal = (length: number, mean = 0, deviation = 1) => random.normal(length, mean, deviation);
  const side = () => (often(0.6) ? 0 : 1 + below(2));
  const padding = (): Padding =>
    often(0.4)
      ? { top: 0, left: 0, bottom: 0, right: 0 }
      : { top: side(), left: side(), bottom: side(), right: side() };

  const batch = 1 + below(2);
  const inputs = [{ name: 'x', shape: [batch, 4 + below(4), 4 + below(4), pick([1, 2, 4, 6])] as const }];
  const shapes = new Map<string, Shape>([['x', inputs[0]!.shape]]);
  const nodes: Node[] = [];

  /** Adds a node unless it does not fit; the tensor that it writes. */
  const push = (node: Draft): string | null => {
    const name = `n${nodes.length}`;
    const full = { ...node, name, output: `t${nodes.length}` } as Node;
    try {
      const around = [...new Set(full.inputs)].map((input) => ({ name: input, shape: shapes.get(input)! }));
      const shape = inferShapes({ name: 'random', inputs: around, outputs: [], nodes: [full] }).get(full.output)!;
      if (sizeOf(shape) > 4000) return null;
      shapes.set(full.output, shape);
    } catch {
      return null;
    }
    nodes.push(full);
    return full.output;
  };
  const affine = (x: string, scale: number, shift: number) =>
    push({ op: 'affine', inputs: [x], scale: Float32Array.of(scale), shift: Float32Array.of(shift) })!;
  const clip = (x: string, min: number, max: number) => push({ op: 'clip', inputs: [x], min, max })!;
  const multiply = (a: string, b: string) =>
    push({ op: 'multiply', inputs: often(0.5) ? [a, b] : [b, a], activation: 'none' })!;
  const activate = (x: string, activation: Activation) => push({ op: 'activation', inputs: [x], activation })!;

  const permutations: readonly Permutation[] = [
    [0, 2, 3, 1],
    [0, 3, 1, 2],
    [0, 2, 1, 3],
    [3, 0, 1, 2],
  ];
  const transpose = (x: string, permutation = pick(permutations)) =>
    push({ op: 'transpose', inputs: [x], permutation })!;

  const same = { top: 1, left: 1, bottom: 1, right: 1 };
  const convolve = (x: string, k: number, groups: number, outChannels: number) => {
    const weights = normal((k * k * outChannels * shapes.get(x)![3]) / groups, 0, 1 / k);
    const around = k === 3 ? same : { top: 0, left: 0, bottom: 0, right: 0 };
    return push({
      op: 'conv2d',
      inputs: [x],
      weights,
      bias: null,
      kernel: [k, k],
      stride: [1, 1],
      dilation: [1, 1],
      padding: around,
      groups,
      outChannels,
      activation: 'none',
    })!;
  };
  /** Expansion (or none), depthwise, projection, sum. */
  const block = (x: string, hidden: number, expands: boolean) => {
    const expanded = expands ? activate(convolve(x, 1, 1, hidden), 'relu6') : x;
    const channels = shapes.get(expanded)![3];
    const projected = convolve(activate(convolve(expanded, 3, channels, channels), 'relu'), 1, 1, shapes.get(x)![3]);
    return push({ op: 'add', inputs: [projected, often(0.7) ? x : sameShape(x)], activation: 'none' })!;
  };

  /** Exact, or rounded to float16 or bfloat16. */
  const sixth = () => pick([1 / 6, 1 / 6, 0.16662598, 0.16699219]);

  const recent = () => (often(0.75) && nodes.length > 0 ? nodes.at(-1)!.output : pick([...shapes.keys()]));
  const sameShape = (tensor: string) =>
    pick([...shapes].filter(([, shape]) => shape.join() === shapes.get(tensor)!.join()))[0];

  const makers: readonly ((x: string) => unknown)[] = [
    (x) => {
      const channels = shapes.get(x)![3];
      const groups = pick([1, 1, channels, channels, 2].filter((g) => channels % g === 0));
      const outChannels = groups === 1 ? pick([1, channels, channels, 4, 6]) : channels * pick([1, 1, 2]);
      const k = pick([1, 1, 2, 3]);
      const taps = (k * k * channels) / groups;
      return push({
        op: 'conv2d',
        inputs: [x],
        weights: normal(taps * outChannels, 0, 1 / Math.sqrt(taps)),
        bias: often(0.5) ? normal(outChannels) : null,
        kernel: [k, k],
        stride: [1 + below(2), 1],
        dilation: [1, 1],
        padding:
          k === 3 && often(0.5)
            ? { top: 1, left: 1, bottom: 1, right: 1 }
            : k === 1
              ? { top: 0, left: 0, bottom: 0, right: 0 }
              : padding(),
        groups,
        outChannels,
        activation: often(0.8) ? 'none' : pick(activations),
      });
    },
    (x) => {
      const channels = shapes.get(x)![3];
      return push({
        op: 'batch-norm',
        inputs: [x],
        scale: normal(channels, 1, 0.3),
        shift: normal(channels, 0, 0.5),
        mean: normal(channels, 0, 0.5),
        variance: normal(channels, 0, 0.5).map(Math.exp),
        epsilon: 1e-3,
      });
    },
    (x) => {
      const each = often(0.5) ? 1 : shapes.get(x)![3];
      return push({ op: 'affine', inputs: [x], scale: normal(each, 1, 0.3), shift: normal(often(0.5) ? 1 : each) });
    },
    (x) => activate(x, pick(activations)),
    (x) => clip(x, pick([0, 0, -1, Number.NEGATIVE_INFINITY]), pick([6, 6, 1, Number.POSITIVE_INFINITY])),
    (x) => activate(clip(x, Number.NEGATIVE_INFINITY, 6), 'relu'),
    (x) => clip(affine(x, sixth(), 0.5), 0, pick([1, 1, 2])),
    (x) => affine(clip(affine(x, 1, 3), 0, 6), sixth(), 0),
    (x) => multiply(x, affine(clip(affine(x, 1, 3), 0, 6), sixth(), 0)),
    (x) => affine(multiply(x, activate(affine(x, 1, 3), 'relu6')), sixth(), 0),
    (x) => multiply(affine(x, sixth(), 0), clip(affine(x, 1, 3), 0, 6)),
    (x) => push({ op: 'add', inputs: [x, sameShape(x)], activation: often(0.8) ? 'none' : 'relu' }),
    (x) => multiply(x, sameShape(x)),
    (x) => push({ op: 'multiply', inputs: [x, push({ op: 'global-average-pool', inputs: [x] })!], activation: 'none' }),
    (x) => block(x, 6, often(0.5)),
    (x) => block(block(x, 4, true), 4, often(0.5)),
    (x) => push({ op: 'pad', inputs: [x], padding: padding() }),
    (x) => push({ op: 'pad', inputs: [push({ op: 'pad', inputs: [x], padding: padding() }) ?? x], padding: padding() }),
    (x) => {
      const [, height, width] = shapes.get(x)!;
      return push({
        op: 'pool',
        inputs: [x],
        kind: pick(['average', 'average', 'max']),
        kernel: often(0.3) ? [height, width] : pick([[2, 2] as const, [3, 2] as const, [1, 1] as const]),
        stride: [1 + below(2), 1],
        padding: padding(),
        countPadding: often(0.5),
      });
    },
    (x) => {
      const [n, h, w, c] = shapes.get(x)!;
      const candidates: Shape[] = [
        [n, h, w, c],
        [n, 1, 1, h * w * c],
        [n, w, h, c],
        [1, n * h, w, c],
      ];
      return push({ op: 'reshape', inputs: [x], shape: pick(candidates) });
    },
    (x) => {
      const features = sizeOf(shapes.get(x)!) / shapes.get(x)![0];
      const outFeatures = pick([1, 4, 6]);
      return push({
        op: 'fully-connected',
        inputs: [x],
        weights: normal(features * outFeatures, 0, 1 / Math.sqrt(features)),
        bias: often(0.5) ? normal(outFeatures) : null,
        outFeatures,
        activation: 'none',
      });
    },
    (x) => transpose(x),
    (x) => transpose(activate(transpose(x), pick(activations))),
    (x) => {
      const permutation = pick(permutations);
      const [a, b] = [transpose(x, permutation), transpose(sameShape(x), permutation)];
      return push({ op: pick(['add', 'multiply']), inputs: [a, often(0.8) ? b : a], activation: 'none' });
    },
    (x) => {
      const inputs = Array.from({ length: 1 + below(4) }, () => sameShape(x));
      const axis = often(0.5) ? {} : { axis: pick([0, 1, 2] as const) };
      return push({ op: 'concat', inputs, ...axis });
    },
  ];
  const length = 4 + below(11);
  for (let i = 0; i < 60 && nodes.length < length; i++) pick(makers)(recent());
  if (nodes.length === 0) activate('x', 'relu');
  const tensors = [nodes.at(-1)!.output, ...Array.from({ length: below(3) }, () => pick(nodes).output)];
  return { name: `random ${seed}`, inputs, outputs: tensors.map((tensor, i) => ({ name: `y${i}`, tensor })), nodes };
}

const rounds = 700;

it.each(Object.entries(passes))(`%s keeps outputs and values of ${rounds} random graphs`, (_, pass) => {
  for (let seed = 1; seed <= rounds; seed++) {
    const graph = randomGraph(seed);
    const inputs = seededInputs(graph);
    const text = JSON.stringify(graph);
    const after = pass(graph);
    expect(JSON.stringify(graph), `${graph.name} was changed in place`).toBe(text);
    expect(after.inputs).toEqual(graph.inputs);
    expect(after.outputs).toEqual(graph.outputs);
    expect(networkCost(after).macs, graph.name).toBeGreaterThanOrEqual(0);
    const [expected, actual] = [runGraph(graph, inputs), runGraph(after, inputs)];
    for (const { name } of graph.outputs) {
      expect(actual[name]!.shape, graph.name).toEqual(expected[name]!.shape);
      let [error, largest] = [0, 1];
      expected[name]!.data.forEach((value, i) => {
        error = Math.max(error, Math.abs(value - actual[name]!.data[i]!));
        largest = Math.max(largest, Math.abs(value));
      });
      expect(error / largest, `${graph.name}, output ${name}`).toBeLessThan(1e-4);
    }
  }
});

it('makes of plain graphs, with fewer passes, what all of them make', () => {
  let several = 0;
  for (let seed = 1; seed <= 10 * rounds; seed++) {
    const whole = randomGraph(seed);
    const end = whole.nodes.findIndex((node) => !isPlain({ ...whole, nodes: [node] }));
    const nodes = whole.nodes.slice(0, end < 0 ? undefined : end);
    if (nodes.length === 0) continue;
    if (nodes.length > 2) several++;
    const outputs = [nodes.at(-1)!, nodes[seed % nodes.length]!].map(({ output }, i) => ({
      name: `y${i}`,
      tensor: output,
    }));
    const graph = { ...whole, nodes, outputs };
    expect(runPlainPasses(graph), whole.name).toEqual(runPasses(graph));
  }
  expect(several).toBeGreaterThan(50);
});

it('runs to a fixed point', () => {
  for (let seed = 1; seed <= rounds; seed++) {
    const once = runPasses(randomGraph(seed));
    expect(
      runPasses(once).nodes.map(({ op }) => op),
      once.name,
    ).toEqual(once.nodes.map(({ op }) => op));
  }
});
