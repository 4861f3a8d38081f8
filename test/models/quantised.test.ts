/**
 * Families of MobileNet on integers of 8 bits whose ReLU and ReLU6 stand in nothing but ranges, against LiteRT.js: the
 * best class is the same, or within two steps of it.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeTflite, type TfliteModel, type TfliteTensor } from '../../bench/writers/tflite-file.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { paintedScene } from '../support/painted-scene.ts';
import { type QuantisedFile, quantised } from '../support/quantiser.ts';
import { suite } from '../support/suite.ts';

// LiteRT.js takes no int8: such a file has real numbers at its ends.
const types = { int8: 'floats', uint8: 'integers' } as const;
type Type = keyof typeof types;

const networks = ['v1-0.25-64', 'v2-0.35-64', 'v3-small-0.5-64', 'v4-conv-small-0.35-64'] as const;
const [width, height, channels] = [64, 64, 3];

const scene = (seed: number) => paintedScene([height, width, channels], seed, [-1, 1]);
const examples = Array.from({ length: 8 }, (_, i) => scene(1 + 12 * i));
const pictures = Array.from({ length: suite === 'full' ? 20 : 3 }, (_, i) => scene(1001 + 12 * i));

describe.each(networks)('%s', (id) => {
  const files = new Map<Type, QuantisedFile>();

  beforeAll(async () => {
    const graph = telling(runPasses(buildArchitecture(id)), [...examples, ...pictures]);
    const variants = (['int8', 'uint8'] as const).map((type) => ({
      type,
      activations: 'ranges' as const,
      ends: types[type],
    }));
    const [int8, uint8] = await quantised(graph, examples, variants);
    files.set('int8', int8!).set('uint8', uint8!);
  });

  test.each(['int8', 'uint8'] as const)('%s', async (type) => {
    const file = files.get(type)!;
    const expected = await Promise.all(pictures.map((picture) => liteRtScores(file, picture)));
    const offBy = async (bytes: Uint8Array, count: number) => {
      const graph = runPasses(await loadGraph({ name: `${id}.tflite`, bytes }));
      return pictures.slice(0, count).map((picture, i) => {
        const [scores] = Object.values(runGraph(graph, { input: picture }));
        return stepsFromBest(file, scores!.data, expected[i]!);
      });
    };
    const steps = await offBy(file.bytes, pictures.length);
    const bests = new Set(expected.map((scores) => scores.indexOf(Math.max(...scores))));
    console.log(
      `${id} ${type}: ${bests.size} classes are the best of ${pictures.length} pictures, steps off: ${steps}`,
    );
    expect(Math.max(...steps)).toBeLessThanOrEqual(2);
    expect(bests.size).toBeGreaterThan(pictures.length / 2);
    // With the ranges ignored another class wins somewhere.
    expect(Math.max(...(await offBy(encodeTflite(withoutRanges(file.model)), 3)))).toBeGreaterThan(2);
  });
});

/**
 * The network with a class for each of these pictures in place of its own: random weights see all pictures alike. A class
 * scores its picture 1: w = d / |d|², b = −w · m, where d is how its features differ from the mean m of all.
 */
function telling(graph: Graph, seen: readonly Float32Array[]): Graph {
  const last = graph.nodes.at(-1)!;
  if (last.op !== 'fully-connected') throw new Error(`${graph.name} ends in ${last.op}`);
  const features = seen.map((picture) => {
    const cut = { ...graph, nodes: graph.nodes.slice(0, -1), outputs: [{ name: 'f', tensor: last.inputs[0]! }] };
    return runGraph(cut, { input: picture }).f!.data;
  });
  const count = features[0]!.length;
  const mean = Float64Array.from(
    { length: count },
    (_, i) => features.reduce((sum, f) => sum + f[i]!, 0) / seen.length,
  );
  const weights = new Float32Array(count * seen.length);
  const bias = new Float32Array(seen.length);
  features.forEach((own, k) => {
    const difference = mean.map((m, i) => own[i]! - m);
    const square = difference.reduce((sum, d) => sum + d * d, 0);
    difference.forEach((d, i) => {
      weights[i * seen.length + k] = d / square;
      bias[k]! -= (d / square) * mean[i]!;
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
function stepsFromBest(file: QuantisedFile, scores: Float32Array, expected: Float32Array): number {
  const best = scores.indexOf(Math.max(...scores));
  const { scale, integers } = scaleOf(file, 'outputs');
  return Math.round((Math.max(...expected) - expected[best]!) / (integers ? 1 : scale));
}

/** As the file has them: integers or real numbers. */
async function liteRtScores(file: QuantisedFile, picture: Float32Array): Promise<Float32Array> {
  const { scale, zeroPoint, integers } = scaleOf(file, 'inputs');
  const stored = picture.map((value) => Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint)));
  const dims = [1, height, width, channels];
  const feed = integers ? { dims, data: stored, type: 'uint8' as const } : { dims, data: picture };
  const [output] = Object.values(await liteRtOutputs(file.bytes, { input: feed }));
  return Float32Array.from(output!.data);
}

/** The file with ranges of what the network computes that cut nothing. */
function withoutRanges(model: TfliteModel): TfliteModel {
  const inputs = new Set(model.inputs.map(([, index]) => index));
  const tensors = model.tensors.map((tensor, index): TfliteTensor => {
    const { data, quantisation, type } = tensor;
    if (data || !quantisation || inputs.has(index)) return tensor;
    const scales = quantisation.scales.map((scale) => 2 * scale);
    return { ...tensor, quantisation: { ...quantisation, scales, zeroPoints: [type === 'int8' ? 0 : 128] } };
  });
  return { ...model, tensors };
}
