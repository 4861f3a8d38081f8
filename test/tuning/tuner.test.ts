import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { AdapterDescription } from '../../src/device/gpu.ts';
import type { Node } from '../../src/graph/ops.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import { allKernels } from '../../src/kernels/index.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { prepare } from '../../src/passes/index.ts';
import { storedBytes } from '../../src/planner/create-plan.ts';
import { shapesOf } from '../../src/planner/select.ts';
import { possible } from '../../src/scheduler/dispatch-time.ts';
import { keepAdoptable } from '../../src/tuning/adopt.ts';
import { MOST_LAYERS, usableRecord, withLayers } from '../../src/tuning/cache.ts';
import { startingPreferences } from '../../src/tuning/defaults.ts';
import { shippedPreferences } from '../../src/tuning/shipped.ts';
import { isTunable, TENSOR_BYTES, Trial } from '../../src/tuning/trial.ts';
import { version } from '../../src/version.ts';

it.each([
  [1.5, true],
  [0, false],
  [-0.1, false],
  [Number.NaN, false],
  [Number.POSITIVE_INFINITY, false],
])('a time of %s ms can be: %s', (ms, expected) => {
  expect(possible(ms) !== null).toBe(expected);
});

describe('a remembered outcome', () => {
  const layer = { kernel: 'conv-pointwise', tried: ['conv-pointwise'], refused: [] };
  const record = { engine: version, fingerprintMs: 2, layers: { layer } };

  it('is used on the adapter that it was measured on', () => {
    expect(usableRecord(structuredClone(record), 2.5)).toEqual(record);
  });

  it.each([
    ['nothing', undefined],
    ['a string', 'tuned'],
    ['another version', { ...record, engine: '0.0.0' }],
    ['no fingerprint', { engine: version, layers: {} }],
    ['a fingerprint that is not a number', { ...record, fingerprintMs: 'fast' }],
    ['no layers', { engine: version, fingerprintMs: 2, layers: null }],
    ['kernels that are not names', { ...record, layers: { layer: { ...layer, kernel: 7 } } }],
    ['kernels without names', { ...record, layers: { layer: { ...layer, tried: [7] } } }],
    ['of a layer that is nothing', { ...record, layers: { layer: null } }],
    ['an older form', { engine: version, fingerprintMs: 2, tuned: { layer: 'conv-pointwise' } }],
  ])('is dropped where it is %s', (_what, value) => {
    expect(usableRecord(value, 2)).toBeNull();
  });

  it('is dropped on an adapter that is much faster or slower', () => {
    expect(usableRecord(record, 0.1)).toBeNull();
    expect(usableRecord(record, 40)).toBeNull();
    expect(usableRecord(record, Number.NaN)).toBeNull();
  });
});

it('a record holds so many layers, those used last', () => {
  const layer = { kernel: 'conv-pointwise', tried: [], refused: [] };
  const used = (from: number, to: number) =>
    new Map(Array.from({ length: to - from }, (_, i) => [`layer ${from + i}`, layer] as const));
  const full = withLayers(null, 2, used(0, MOST_LAYERS));
  const again = withLayers(full, 9, used(0, 10));
  expect(Object.keys(again.layers)).toHaveLength(MOST_LAYERS);
  expect(again.fingerprintMs).toBe(2);
  const more = Object.keys(withLayers(again, 2, used(MOST_LAYERS, MOST_LAYERS + 20)).layers);
  expect(more).toHaveLength(MOST_LAYERS);
  // Layers 0 to 9 were used after all others.
  expect([more.includes('layer 0'), more.includes('layer 10'), more.includes('layer 30')]).toEqual([true, false, true]);
});

describe('choices that a network refuses', () => {
  const choices = Array.from({ length: 13 }, (_, i) => [`layer ${i}`, `kernel ${i}`] as const);

  it.each([[[]], [[4]], [[0, 12]], [[5, 6, 7]], [choices.map((_, i) => i)]])(
    'are %j, and the others stay',
    async (bad) => {
      let adopted: readonly string[] = [];
      let attempts = 0;
      const refused = await keepAdoptable(choices, async (tried) => {
        attempts++;
        const names = tried.map(([key]) => key);
        if (bad.some((i) => names.includes(`layer ${i}`))) return 'output "y" is another with it';
        adopted = names;
        return null;
      });
      expect(refused.map(({ key }) => key)).toEqual(bad.map((i) => `layer ${i}`));
      expect(adopted).toEqual(choices.map(([key]) => key).filter((_, i) => !(bad as number[]).includes(i)));
      expect(attempts).toBeLessThanOrEqual(1 + bad.length * 2 * 4);
    },
  );
});

describe('a trial', () => {
  const plain = { precision: 'float32', halfInputs: [false], halfOutput: false } as const;
  const layersOf = (id: string) => {
    const graph = prepare(buildArchitecture(id));
    const shapes = inferShapes(graph);
    return graph.nodes.filter(isTunable).map((node) => ({ node, shapes: shapesOf(node, shapes) }));
  };

  it('is there for every operation of which there are several kernels', async () => {
    const { variants } = await allKernels();
    expect(variants.map(({ op }) => op).filter((op) => op !== 'integer' && !isTunable({ op } as Node))).toEqual([]);
  });

  it('takes no more memory than it may, whatever the size of the picture', () => {
    const layers = layersOf('v2-1.0-1024');
    const tried = layers.map(({ node, shapes }) => new Trial(node, shapes, plain));
    expect(tried.length).toBeGreaterThan(50);
    for (const [i, { graph }] of tried.entries()) {
      const shapes = inferShapes(graph);
      const bytes = [...graph.inputs.map(({ name }) => name), 'y', 'y'].reduce(
        (sum, name) => sum + storedBytes(shapes.get(name)!, 'float32'),
        0,
      );
      expect(bytes).toBeLessThanOrEqual(TENSOR_BYTES);
      expect(graph.inputs[0]!.shape[1]).toBeGreaterThanOrEqual(Math.min(16, layers[i]!.shapes.inputs[0]![1]));
    }
    expect(tried.some(({ graph }) => graph.inputs[0]!.shape[1] === 512)).toBe(false);
  });

  it('has sums that float32 holds exactly, in any order', () => {
    for (const { node, shapes } of layersOf('v2-1.0-224')) {
      const { graph, inputs } = new Trial(node, shapes, plain);
      const [tried] = graph.nodes;
      if (tried!.op !== 'conv2d') continue;
      const { weights, bias, outChannels, kernel, groups } = tried;
      const terms = kernel[0] * kernel[1] * (shapes.inputs[0]![3] / groups);
      const largest = weights.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const most = inputs[0]!.most / 4096;
      const offset = bias?.reduce((sum, value) => Math.max(sum, Math.abs(value)), 0) ?? 0;
      expect(terms * largest * most + offset).toBeLessThanOrEqual(1);
      const values = Array.from({ length: terms }, (_, i) => ((i * 7919) % (2 * inputs[0]!.most + 1)) / 4096 - most);
      const products = values.map((value, i) => Math.fround(value * weights[i * outChannels]!));
      const sum = (all: readonly number[]) => all.reduce((so, value) => Math.fround(so + value), 0);
      expect(sum(products)).toBe(sum([...products].reverse()));
      expect(weights.some((value) => value < 0) && weights.some((value) => value > 0)).toBe(true);
    }
  });

  it('runs the kernel that it says, or none', async () => {
    const [{ node, shapes }] = layersOf('v2-1.0-224') as [ReturnType<typeof layersOf>[number]];
    const kernels = await allKernels();
    const dense = new Trial(node, { ...shapes, dense: true }, plain);
    expect(dense.plan(kernels, [], 'conv-stem').dispatches[0]!.kernel).toBe('conv-stem');
    const half = { precision: 'float16-packed', halfInputs: [false], halfOutput: true } as const;
    const stored = new Trial(node, { ...shapes, dense: true }, half).plan(kernels, [], 'conv-stem');
    expect(stored.dispatches[0]!.kernel).toBe('conv-stem');
    expect([stored.tensors.x0!.precision, stored.tensors.y!.precision]).toEqual(['float32', 'float16-packed']);
    // In the middle of a network nothing is stored dense.
    const inside = new Trial(node, shapes, plain);
    expect(() => inside.plan(kernels, [], 'conv-stem')).toThrow('would run in the place of conv-stem');
  });
});

it('every kernel that is shipped as a default is in the registry', async () => {
  const registry = Object.values(await allKernels()).flat() as Kernel[];
  const all = registry.map(({ op, name }) => `${op} ${name}`);
  expect(new Set(all).size).toBe(all.length);
  const names = registry.map(({ name }) => name);
  for (const software of [true, false]) {
    for (const features of [[], ['subgroups']]) {
      const adapter: AdapterDescription = { vendor: '', architecture: '', description: '', software, features };
      for (const { prefer } of [await startingPreferences(adapter), await shippedPreferences(adapter)]) {
        expect(names).toEqual(expect.arrayContaining([...prefer]));
      }
    }
  }
});
