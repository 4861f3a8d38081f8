/** Families of MobileNet on integers of 8 bits whose ReLU and ReLU6 stand in nothing but ranges. */
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { paintedScene } from '../support/painted-scene.ts';
import { type QuantisedFile, quantised } from '../support/quantiser.ts';
import { suite } from '../support/suite.ts';

// LiteRT.js takes no int8: such a file has real numbers at its ends.
const ends = { int8: 'floats', uint8: 'integers' } as const;
export const types = ['int8', 'uint8'] as const;

export const networks = ['v1-0.25-64', 'v2-0.35-64', 'v3-small-0.5-64', 'v4-conv-small-0.35-64'] as const;
export const inputDims = [1, 64, 64, 3] as const;

const scene = (seed: number) => paintedScene(inputDims.slice(1), seed, [-1, 1]);
const examples = Array.from({ length: 8 }, (_, i) => scene(1 + 12 * i));
export const scenes = (count: number) => Array.from({ length: count }, (_, i) => scene(1001 + 12 * i));
export const pictures = scenes(suite === 'full' ? 20 : 3);

/** A network with seeded weights as files of int8 and uint8, calibrated on eight scenes. */
export async function quantisedFamily(id: string): Promise<ReadonlyMap<(typeof types)[number], QuantisedFile>> {
  const graph = telling(runPasses(buildArchitecture(id)), [...examples, ...pictures]);
  const variants = types.map((type) => ({ type, activations: 'ranges' as const, ends: ends[type] }));
  const files = await quantised(graph, examples, variants);
  return new Map(types.map((type, i) => [type, files[i]!]));
}

/**
 * The network with a class for each of these pictures in place of its own, as random weights see all pictures alike: the
 * best class is the picture whose features f are nearest. −|f − p|² / 2 without what is the same for all classes, with
 * features as differences from their mean m: w = d, b = −d · m − |d|² / 2, d = p − m; divided by the mean of |d|².
 */
function telling(graph: Graph, seen: readonly Float32Array[]): Graph {
  const last = graph.nodes.at(-1)!;
  if (last.op !== 'fully-connected') throw new Error(`${graph.name} ends in ${last.op}`);
  const cut = { ...graph, nodes: graph.nodes.slice(0, -1), outputs: [{ name: 'f', tensor: last.inputs[0]! }] };
  const features = seen.map((picture) => runGraph(cut, { input: picture }).f!.data);
  const mean = Float64Array.from(features[0]!, (_, i) => features.reduce((sum, f) => sum + f[i]!, 0) / seen.length);
  const differences = features.map((own) => mean.map((m, i) => own[i]! - m));
  const squares = differences.map((difference) => difference.reduce((sum, d) => sum + d * d, 0));
  const scale = seen.length / squares.reduce((sum, square) => sum + square, 0);
  const weights = new Float32Array(mean.length * seen.length);
  const bias = Float32Array.from(squares, (square) => (-scale * square) / 2);
  differences.forEach((difference, k) => {
    difference.forEach((d, i) => {
      weights[i * seen.length + k] = scale * d;
      bias[k]! -= scale * d * mean[i]!;
    });
  });
  return { ...graph, nodes: [...graph.nodes.slice(0, -1), { ...last, weights, bias, outFeatures: seen.length }] };
}

/** Of the first tensor that holds integers of the network, or of the last. */
function scaleOf({ model }: QuantisedFile, end: 'inputs' | 'outputs') {
  const [name, index] = model[end][0]!;
  const { quantisation } = model.tensors[index]!;
  const { scales, zeroPoints } =
    quantisation ?? model.tensors.find((tensor) => tensor.name === `${name}/quantised`)!.quantisation!;
  return { scale: scales[0]!, zeroPoint: zeroPoints[0]!, integers: quantisation !== undefined };
}

/** How far LiteRT.js has the class that `scores` rank best below its own best, in steps of the output. */
export function stepsFromBest(file: QuantisedFile, scores: Float32Array, expected: Float32Array): number {
  const best = scores.indexOf(Math.max(...scores));
  const { scale, integers } = scaleOf(file, 'outputs');
  return Math.round((Math.max(...expected) - expected[best]!) / (integers ? 1 : scale));
}

/**
 * How many pictures may have another best class, further than two steps off: none, but one in ten of V3 in uint8. LiteRT.js
 * rounds to 256 steps where this engine does not, before and after each hard-swish and at each gate, on weights with one scale
 * a tensor.
 */
export const othersAllowed = (id: string, type: (typeof types)[number]): number =>
  id.startsWith('v3') && type === 'uint8' ? Math.floor(pictures.length / 10) : 0;

/** How many of these are further off than two steps. */
export const farOff = (steps: readonly number[]): number => steps.filter((step) => step > 2).length;

/** What the file is fed: integers or real numbers. */
export function fedTo(file: QuantisedFile, picture: Float32Array): Uint8Array | Float32Array {
  const { scale, zeroPoint, integers } = scaleOf(file, 'inputs');
  if (!integers) return picture;
  return Uint8Array.from(picture, (value) => Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint)));
}
