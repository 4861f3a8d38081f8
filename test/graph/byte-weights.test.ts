import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { byteWeights, floatsOf, whyNoBytes } from '../../src/graph/byte-weights.ts';
import { hasByteWeights } from '../../src/graph/layers.ts';
import { inspect } from '../../src/inspect.ts';
import { withByteWeights } from '../../src/passes/byte-weights.ts';
import { randomValues } from '../support/random-values.ts';
import { suite } from '../support/suite.ts';

const outputs = 7;
const drawn = randomValues(outputs * 300, 1, -3, 3);
// Outputs of very different sizes, of one sign, of zeros, and of what is smaller than any product.
const sizes = [1, 1e-20, 1e20, 3e-5, 0, 1e-35, 127];
const weights = drawn.map((value, i) => (i % outputs === 3 ? Math.abs(value) : value) * sizes[i % outputs]!);
const stored = byteWeights(weights, outputs);
const floats = floatsOf(stored);

describe('weights as bytes', () => {
  it('are whole multiples of a scale, exactly, and so found again', () => {
    for (const [i, float] of floats.entries()) {
      // In float64, where such a product is exact.
      expect(float).toBe(stored.values[i]! * stored.scales[i % outputs]!);
    }
    expect(byteWeights(floats, outputs)).toEqual(stored);
  });

  it('are at most half a scale from what they stand for, the largest of an output 127 of its scale', () => {
    for (let o = 0; o < outputs; o++) {
      const of = <T extends ArrayLike<number>>(all: T) => Array.from(all).filter((_, i) => i % outputs === o);
      const most = Math.max(...of(weights).map(Math.abs));
      const scale = stored.scales[o]!;
      const none = most < 2 ** -100;
      expect(Math.max(...of(stored.values).map(Math.abs))).toBe(none ? 0 : 127);
      if (none) continue;
      expect(scale).toBeGreaterThanOrEqual(Math.fround(most / 127));
      expect(scale).toBeLessThanOrEqual((most / 127) * (1 + 2 ** -15));
      for (const [i, weight] of of(weights).entries()) {
        expect(Math.abs(of(floats)[i]! - weight)).toBeLessThanOrEqual(scale / 2);
      }
    }
  });

  it.each<[string, (bytes: Int8Array, scales: Float32Array) => void, RegExp]>([
    ['a scale below zero', (_, scales) => (scales[0] = -1), /scale -1 of output 0/],
    ['a scale that is no number', (_, scales) => (scales[1] = Number.NaN), /scale NaN of output 1/],
    ['an infinite scale', (_, scales) => (scales[2] = Number.POSITIVE_INFINITY), /scale Infinity of output 2/],
    ['weights that would be infinite', (_, scales) => (scales[2] = 2 ** 124), /of output 2/],
    ['a scale with all its bits', (_, scales) => (scales[0] = 0.1), /expected 17 significant bits/],
    ['a scale of next to nothing', (_, scales) => (scales[0] = 2 ** -120), /expected 17 significant bits/],
    ['no largest byte', (bytes) => bytes.fill(5), /bytes up to 5 of output 0, expected 127/],
    ['a byte below all', (bytes) => (bytes[0] = -128), /bytes up to 128 of output 0/],
    ['bytes of no scale', (_, scales) => (scales[6] = 0), /expected 0 beside the scale 0/],
  ])('%s is none that is ever made', (_, damage, reason) => {
    const [values, scales] = [stored.values.slice(), stored.scales.slice()];
    expect(whyNoBytes({ values, scales })).toBeNull();
    damage(values, scales);
    expect(whyNoBytes({ values, scales })).toMatch(reason);
  });

  it.each(
    suite === 'full'
      ? [
          'v1-0.25',
          'v1-1.0',
          'v2-0.35',
          'v2-1.0',
          'v2-1.4',
          'v3-small-0.35',
          'v3-small-1.0',
          'v3-large-1.0',
          'v4-conv-medium',
        ]
      : ['v2-1.0', 'v3-small-1.0', 'v4-conv-small'],
  )('take at most 0.3 of the memory of floats: %s', async (id) => {
    // Sides of 32 have the same weights.
    const graph = buildArchitecture(`${id}-32`);
    const [floats, bytes] = [await inspect(graph), await inspect(graph, { weights: 'int8' })];
    expect(bytes.weightBytes / floats.weightBytes).toBeLessThanOrEqual(0.3);
    expect(bytes.activationBytes).toBe(floats.activationBytes);
  });

  it('are those of sums over many channels; a second time changes nothing', () => {
    const graph = withByteWeights(buildArchitecture('v3-small-0.35-32', { classes: 5 }));
    for (const node of graph.nodes) {
      if (node.op === 'conv2d') expect(hasByteWeights(node)).toBe(node.groups === 1);
      if (node.op === 'fully-connected') expect(hasByteWeights(node)).toBe(true);
    }
    expect(withByteWeights(graph)).toEqual(graph);
  });
});
