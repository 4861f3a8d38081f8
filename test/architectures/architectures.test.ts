import { describe, expect, it } from 'vitest';
import { isArchitectureId } from '../../src/architectures/id.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { UsageError } from '../../src/errors.ts';
import { networkCost } from '../../src/graph/cost.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import { fuseBlocks } from '../../src/passes/fuse-blocks.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';

/** Parameters and multiplications in millions, as published or counted from the origin's own code. */
const published = [
  ['v1-1.0-224', 4_231_976, 568.7],
  ['v1-0.75-224', 2_585_560, 325.4],
  ['v1-0.5-224', 1_331_592, 149.5],
  ['v1-0.25-224', 470_072, 41.0],
  ['v2-1.4-224', 6_108_776, 582.2],
  ['v2-1.0-224', 3_504_872, 300.8],
  ['v2-0.75-224', 2_636_424, 209.1],
  ['v2-0.5-224', 1_968_680, 97.1],
  ['v2-0.35-224', 1_677_128, 59.3],
  ['v3-large-1.0-224', 5_483_032, 216.6],
  ['v3-small-1.0-224', 2_542_856, 56.5],
  ['v4-conv-small-224', 3_774_024, 186.0],
  ['v4-conv-medium-224', 9_715_512, 827.6],
  ['v4-conv-medium-256', 9_715_512, 1080],
  ['v4-conv-large-384', 32_590_864, 6376.2],
  ['v4-conv-large-256', 32_590_864, 2835.3],
] as const;

describe('architectures', () => {
  it.each(published)('%s has %i parameters and %f M multiplications', (id, parameters, macs) => {
    const cost = networkCost(buildArchitecture(id));
    expect(cost.parameters).toBe(parameters);
    expect(Math.abs(cost.macs / 1e6 / macs - 1)).toBeLessThan(0.005);
  });

  it.each([
    ['v1-1.0-224', 8.56],
    ['v2-1.0-224', 4.07],
  ])('%s with normal convolutions costs %f times as much, before and after passes', (id, factor) => {
    const graph = buildArchitecture(id);
    const passed = runPasses(graph);
    for (const same of [graph, passed, fuseBlocks(passed, () => true)]) {
      const { macs, macsWithNormalConvolutions } = networkCost(same);
      expect(macs).toBe(networkCost(graph).macs);
      expect(Math.abs(macsWithNormalConvolutions / macs / factor - 1)).toBeLessThan(0.02);
    }
  });

  it('gives the same weights for the same seed only', () => {
    const weights = (seed: number) => {
      const [stem] = buildArchitecture('v1-0.25-32', { seed }).nodes;
      return stem?.op === 'conv2d' ? [...stem.weights.slice(0, 8)] : [];
    };
    expect(weights(5)).toEqual(weights(5));
    expect(weights(5)).not.toEqual(weights(6));
  });

  it.each([
    'v1-0.25-64',
    'v2-0.35-64',
    'v3-small-0.5-64',
    'v3-large-minimalistic-0.35-64',
    'v4-conv-small-0.35-64',
    'v4-conv-medium-0.25-64',
    'v4-conv-large-0.25-64',
  ])('%s keeps its activations alive: their deviation stays between 0.05 and 20', (id) => {
    const graph = buildArchitecture(id, { classes: 10, inputChannels: 1, batch: 2 });
    const [, height, width, channels] = graph.inputs[0]!.shape;
    const input = Float32Array.from({ length: 2 * height * width * channels }, (_, i) => Math.sin(i * 12.9898) * 1.5);
    let convolutions = 0;
    const { logits } = runGraph(
      graph,
      { input },
      {
        onNode: (node, { data }) => {
          if (node.op !== 'batch-norm') return;
          convolutions++;
          const mean = data.reduce((a, b) => a + b, 0) / data.length;
          const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
          expect(deviation, node.name).toBeGreaterThan(0.05);
          expect(deviation, node.name).toBeLessThan(20);
        },
      },
    );
    expect(convolutions).toBeGreaterThan(20);
    expect(logits!.shape).toEqual([2, 1, 1, 10]);
    expect(new Set(logits!.data).size).toBe(20);
  });

  it.each(['v1-224', 'v5-1.0-224', 'v3-1.0-224', 'v2-1.0', 'v4-conv-huge-224', 'model.onnx', ''])(
    'does not take "%s" for an architecture',
    (id) => {
      expect(() => buildArchitecture(id)).toThrow(UsageError);
    },
  );

  it.each([{ classes: 0 }, { batch: -1 }, { inputChannels: 1.5 }, { batch: Number.NaN }, { seed: Number.NaN }])(
    'refuses %o',
    (options) => {
      expect(() => buildArchitecture('v1-0.25-32', options)).toThrow(UsageError);
    },
  );

  it('recognises ids by their form', () => {
    expect(isArchitectureId('v3-small-minimalistic-0.75-160')).toBe(true);
    expect(isArchitectureId('v4-conv-medium-256')).toBe(true);
    expect(isArchitectureId('v2-1.0-224.onnx')).toBe(false);
  });

  it('pads as the origin of each family does', () => {
    const stem = (id: string) => {
      const [node] = buildArchitecture(id).nodes;
      return node?.op === 'conv2d' ? node.padding : null;
    };
    expect(stem('v2-1.0-224')).toEqual({ top: 0, left: 0, bottom: 1, right: 1 });
    expect(stem('v4-conv-small-224')).toEqual({ top: 1, left: 1, bottom: 1, right: 1 });
  });

  it('keeps the stem of V4 at 32 channels where α < 1, as timm does', () => {
    const stem = (id: string) => inferShapes(buildArchitecture(id)).get('stem')!.at(-1);
    expect(stem('v4-conv-small-0.35-224')).toBe(32);
    expect(stem('v4-conv-small-1.25-224')).toBe(40);
  });

  it('has consistent shapes at odd sizes', () => {
    for (const id of ['v1-1.0-97', 'v2-0.75-131', 'v3-large-1.4-75', 'v4-conv-small-0.5-33']) {
      expect(inferShapes(buildArchitecture(id)).get('classifier')).toEqual([1, 1, 1, 1000]);
    }
  });
});
