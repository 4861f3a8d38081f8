import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { seededInputs } from '../../src/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { enginePage } from '../support/engine-page.ts';
import { quantised } from '../support/quantiser.ts';
import { browsers, suite } from '../support/suite.ts';
import type { Mutant, visits } from './self-check-in-page.ts';

const module = '/test/tuning/self-check-in-page.ts';

interface Outcome {
  readonly nmse: number;
  readonly report: string;
  readonly device: string;
}

const names = [
  'a wrong tap',
  'wrong padding',
  'the last row unwritten',
  'a stale arena read',
  'wrong from the second run on',
  'a wrong negative branch',
];

interface Integers {
  readonly wrong: number;
  readonly report: string;
  readonly device: string;
}

/** A MobileNetV1 on integers of 8 bits. */
async function quantisedNetwork(): Promise<Uint8Array> {
  const graph = runPasses(buildArchitecture('v1-0.25-64', { classes: 10 }));
  const example = seededInputs(graph, 1).input!;
  const [file] = await quantised(graph, [example], [{ type: 'int8', activations: 'ranges', ends: 'floats' }]);
  return file!.bytes;
}

/** Mutations of the shaders of two networks. */
const mutations = suite === 'full' ? 100 : 4;

describe.each(browsers)('the self-check in %s', (browser) => {
  const call = async <T>(name: string, argument?: unknown): Promise<T> =>
    (await enginePage(browser)).call<T>(module, name, argument);

  it.each([
    { id: 'v1-0.25-64' },
    { id: 'v3-small-0.5-64' },
    { id: 'v2-0.35-64', precision: 'float16-storage' },
    ...(browser === 'firefox' ? [{ id: 'v2-0.35-64', precision: 'float16' }] : []),
    ...(suite === 'full' ? [{ id: 'v2-0.35-64', plan: 'fused' }, { id: 'v4-conv-small-0.5-64' }] : []),
  ])('passes what is right: %o', async (options) => {
    const { report } = await call<{ report: string }>('plain', options);
    expect(report).toMatch(/self-check passed: \d+ made-up layers/);
    expect(report).not.toContain('wrongly');
  });

  it.each(names)('catches %s, and another kernel runs in its place', async (how) => {
    const { off, on } = await call<{ off: Outcome; on: Outcome }>('withSabotage', { how, id: 'v1-0.25-64' });
    expect(off.nmse, 'without the self-check').toBeGreaterThan(1e-6);
    expect(on.report).toMatch(
      /kernel conv-(depthwise-)?any\/\S+ \(layer .*\) computes wrongly on this GPU and is not used/,
    );
    expect(on.nmse).toBeLessThan(1e-10);
    expect(on.device).toBe('webgpu');
  });

  it('catches idle lanes that write, though what they harm is often written again', async () => {
    const { on } = await call<{ on: Outcome }>('withSabotage', { how: 'idle lanes that write', id: 'v1-0.25-64' });
    expect(on.report).toMatch(/kernel conv-depthwise-any\/\S+ .* is not used: it writes behind its tensor/);
    expect([on.nmse < 1e-10, on.device]).toEqual([true, 'webgpu']);
  });

  it.each([
    [null, '', ''],
    ['int8-depthwise.wgsl', 'select(shape.outside, src[', 'select(0u, src['],
    ['int8-pointwise.wgsl', 'requantise(sum + end.bias,', 'requantise(sum + end.bias + 20000,'],
  ] as const)('on stored integers, with %s harmed', async (label, from, to) => {
    const file = await quantisedNetwork();
    const { off, on } = await call<{ off: Integers; on: Integers }>('integers', { file, label, from, to });
    expect(on.report).not.toContain('not checked');
    if (!label) {
      expect(on.report).toMatch(/self-check passed: \d+ made-up layers/);
      expect([off.wrong, on.wrong, on.device]).toEqual([0, 0, 'webgpu']);
      return;
    }
    expect(off.wrong, 'without the self-check').toBeGreaterThan(0);
    expect(on.report).toMatch(/kernel int8-\S+ \(layer .*\) computes wrongly on this GPU and is not used/);
    expect(on.wrong).toBe(0);
  });

  it.each([
    [
      'a resampled picture',
      'image-to-tensor.wgsl',
      'mean = sum / (total_y * total_x);',
      'mean = 1.3 * sum / (total_y * total_x);',
    ],
    ['the ranking of classes', 'rank-classes.wgsl', 'vec2u(best.index, bits)', 'vec2u(best.index ^ 1u, bits)'],
  ])('catches a sabotage of %s, which the CPU does then', async (_, label, from, to) => {
    type Seen = { readonly top: { readonly index: number; readonly score: number }[]; readonly report: string };
    const { sound, off, on } = await call<{ sound: Seen; off: Seen; on: Seen }>('pictures', { label, from, to });
    const indices = ({ top }: Seen) => top.map(({ index }) => index);
    const far = ({ top }: Seen) => Math.max(...top.map(({ score }, i) => Math.abs(score / sound.top[i]!.score - 1)));
    expect(sound.report).not.toContain('come out wrong');
    expect(far(off) > 1e-3 || indices(off).join() !== indices(sound).join(), 'without the self-check').toBe(true);
    expect(on.report).toContain('pictures come out wrong on this GPU');
    expect(indices(on)).toEqual(indices(sound));
    expect(far(on)).toBeLessThan(1e-4);
  });

  it('looks at a region of a picture wherever that lies', async () => {
    const [gpu, cpu] = await call<number[]>('farRegion');
    expect(gpu).toBe(cpu);
  });

  it('goes from halves to float32 where no kernel for halves is right, and to the CPU where none is', async () => {
    const halves = await call<Outcome>('hopeless', { precision: 'float16-storage' });
    expect(halves.report).toMatch(/float32 is used/);
    expect([halves.device, halves.nmse < 1e-10]).toEqual(['webgpu', true]);
    const all = await call<Outcome>('hopeless', { precision: 'auto' });
    expect(all.report).toMatch(/"device": "reference",\s*"deviceReason": "this GPU computes wrongly: kernel/);
    expect([all.device, all.nmse]).toEqual(['reference', 0]);
  });

  it('does not check again what passed, but after a month, with another engine, and where a check has failed since', async () => {
    const { found, failures, again } = await call<Awaited<ReturnType<typeof visits>>>('visits');
    const [first, ...later] = found;
    expect(first).toBeGreaterThan(3);
    expect(later).toEqual([0, first, first]);
    // What was wrong once is not believed again.
    expect([failures > 0, ...again]).toEqual([true, first, first]);
  });

  it(`catches at least 95 of 100 mutations that change an output, of ${2 * mutations}`, async () => {
    const found: Mutant[] = [];
    for (const id of ['v1-0.25-32', 'v3-small-0.35-32']) {
      for (let from = 0; from < mutations; from += 10) {
        found.push(...(await call<Mutant[]>('mutants', { id, from, to: Math.min(from + 10, mutations) })));
      }
    }
    const count = (outcome: Mutant['outcome']) => found.filter((one) => one.outcome === outcome).length;
    const wrong = found.filter(({ outcome }) => outcome === 'wrong');
    const missed = wrong.filter(({ caught }) => !caught);
    process.stdout.write(
      `${browser}: ${found.length} mutations: ${count('refused')} refused, ${count('same')} same bits, ${count('rounding')} ` +
        `rounding, ${wrong.length} wrong outputs, of which ${wrong.length - missed.length} caught\n`,
    );
    expect(missed.length, JSON.stringify(missed)).toBeLessThanOrEqual(0.05 * wrong.length);
  });
});
