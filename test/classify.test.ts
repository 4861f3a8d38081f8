/** What a classifier's outputs mean decides what `classify` makes of them. */
import { describe, expect, it } from 'vitest';
import { softmax } from '../src/analysis/index.ts';
import { withMeanings } from '../src/graph/output-meaning.ts';
import { type Graph, type ImageRule, load, type Node, UsageError } from '../src/index.ts';

const image: ImageRule = {
  fit: 'stretch',
  cropFraction: 1,
  filter: 'bilinear',
  antialias: true,
  corners: 'half-pixel',
  channels: 'rgb',
  scale: [1 / 255],
  offset: [0],
};
const picture = { width: 1, height: 1, data: Uint8ClampedArray.of(255, 255, 255, 255) };
const values = [-6.2, 0.02, 6.3];

/** A picture of one white pixel to three scores, then `tail`, which ends in the tensor `y`. */
function classifier(...tail: Node[]): Graph {
  const weights = Float32Array.from({ length: 9 }, (_, i) => values[i % 3]! / 3);
  return {
    name: 'three',
    inputs: [{ name: 'x', shape: [1, 1, 1, 3] }],
    outputs: [{ name: 'y', tensor: 'y' }],
    nodes: [
      {
        op: 'fully-connected',
        name: 'scores',
        inputs: ['x'],
        output: tail.length > 0 ? 'scores' : 'y',
        weights,
        bias: null,
        outFeatures: 3,
        activation: 'none',
      },
      ...tail,
    ],
  };
}

const softmaxed = (output: string): Node => ({ op: 'softmax', name: output, inputs: ['scores'], output });
const activated = (activation: 'sigmoid' | 'hard-sigmoid' | 'relu'): Node => ({
  op: 'activation',
  name: 'activated',
  inputs: ['scores'],
  output: 'y',
  activation,
});
const clipped = (input: string): Node => ({ op: 'clip', name: 'y', inputs: [input], output: 'y', min: 0, max: 1 });

const scaled: Node = {
  op: 'affine',
  name: 'scaled',
  inputs: ['scores'],
  output: 'scaled',
  scale: Float32Array.of(1 / 6),
  shift: Float32Array.of(0.5),
};

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const probabilities = [...softmax(Float32Array.from(values))];

describe('scores of classes', () => {
  it.each([
    ['logits', classifier(), probabilities],
    ['probabilities', classifier(softmaxed('y')), probabilities],
    ['probabilities', classifier(softmaxed('p'), clipped('p')), probabilities],
    ['sigmoids', classifier(activated('sigmoid')), values.map(sigmoid)],
    ['sigmoids', classifier(scaled, clipped('scaled')), [0, 0.5 + 0.02 / 6, 1]],
  ] as const)('of %s, each what it stands for', async (meaning, graph, expected) => {
    const model = await load(graph, { device: 'reference' });
    expect(model.outputs.map((output) => output.meaning)).toEqual([meaning]);
    const top = await model.classify(picture, { image, top: 3 });
    expect(top.map(({ index }) => index)).toEqual([2, 1, 0]);
    for (const { index, score } of top) expect(score).toBeCloseTo(expected[index]!, 5);
    // A prepared graph says the same: its activations stand in other nodes.
    const again = await load(await model.save(), { device: 'reference' });
    expect(again.outputs.map((output) => output.meaning)).toEqual([meaning]);
  });

  it.each([-1, Number.NaN])('cannot be the best %d', async (top) => {
    const model = await load(classifier(), { device: 'reference' });
    await expect(model.classify(picture, { image, top })).rejects.toThrow(`top is ${top}`);
  });

  it('features are none, whatever they end in', async () => {
    const relu = classifier(activated('relu'));
    const pool: Graph = {
      ...relu,
      nodes: [{ op: 'global-average-pool', name: 'pool', inputs: ['x'], output: 'y' }],
    };
    for (const graph of [relu, pool]) {
      const model = await load(graph, { device: 'reference' });
      expect(model.outputs[0]!.meaning).toBe('features');
      await expect(model.classify(picture, { image })).rejects.toThrow(/^output "y" of three holds features/);
    }
  });

  it('a meaning that is on the graph stays', () => {
    const graph = classifier();
    const said = { ...graph, outputs: [{ name: 'y', tensor: 'y', meaning: 'sigmoids' as const }] };
    expect(withMeanings(said).outputs).toEqual(said.outputs);
  });
});

it('a fault of several pictures says which of them, and stays what it was for other callers', async () => {
  const model = await load(classifier({ op: 'softmax', name: 'softmax', inputs: ['scores'], output: 'y' }), {
    device: 'reference',
  });
  const reason = new UsageError('enough');
  const first = await model.classify([picture, picture], { image, signal: AbortSignal.abort(reason) }).catch((e) => e);
  expect(first).toBeInstanceOf(UsageError);
  expect(first.message).toBe('picture 0 of 2: enough');
  expect(reason.message).toBe('enough');
});
