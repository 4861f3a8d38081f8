import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';
import type { FusedTimes, shipped, tuneBlocksTwice } from './blocks-in-page.ts';

type Shipped = Awaited<ReturnType<typeof shipped>>;
type Visits = Awaited<ReturnType<typeof tuneBlocksTwice>>;

const isFused = (kernel: string) =>
  /^(inverted-residual|universal-bottleneck|expand-depthwise|conv-project)/.test(kernel);

/** The stem and the first four blocks of V2, one of two parts and three of three: of 32² to 8² pixels. */
const v2 = { id: 'v2-0.35-64', nodes: 12 };

describe.each(browsers)('blocks against their parts in %s', (browser) => {
  const tuned = async (network: { id: string; nodes: number }, times: FusedTimes): Promise<Visits> =>
    (await enginePage(browser)).call('/test/tuning/blocks-in-page.ts', 'tuneBlocksTwice', { ...network, times });

  const warmRun = (kernels: readonly string[]) => ({
    dispatches: kernels.length,
    submits: 1,
    passes: 1,
    created: 0,
    pipelines: 0,
  });

  it('early blocks that are faster fused are, the tail stays in parts, and that is remembered', async () => {
    const visits = await tuned(v2, { workgroups: 16, large: 0.5, small: 20 });
    const [first, second] = visits;
    expect(first!.unfused).toBe(12);
    expect(first!.kernels.slice(1).map(isFused)).toEqual([true, true, true, false, false, false]);
    expect(new Set(first!.blocks.map(({ chosen }) => chosen))).toEqual(new Set(['fused', 'parts']));
    for (const { tried } of first!.blocks) expect(tried.every(({ ms }) => ms !== null)).toBe(true);
    expect(second!.kernels).toEqual(first!.kernels);
    expect(second!.blocks).toEqual([]);
    for (const visit of visits) {
      expect(visit).toMatchObject({ valid: true, plan: 'auto', refused: [], complete: true });
      expect(visit.prepared).toBe(visit.kernels.length);
      expect(visit.difference).toBeLessThan(1e-10);
      expect(visit.warm).toEqual(warmRun(visit.kernels));
    }
  });

  it('a block with squeeze-and-excitation is one to the race', async () => {
    const [first] = await tuned({ id: 'v3-small-0.5-64', nodes: 7 }, { workgroups: 0, large: 0.5, small: 0.5 });
    // Its gate with the projection is another, which the whole one takes in.
    expect(first!.blocks.map(({ chosen }) => chosen)).toEqual(['fused', 'fused']);
    expect(first).toMatchObject({ valid: true, refused: [], unfused: 7 });
    expect(first!.kernels.length).toBe(5);
    expect(first!.warm).toEqual(warmRun(first!.kernels));
  });

  it('a gate is fused with its projection where the whole block is slower', async () => {
    const visits = await tuned({ id: 'v3-small-0.5-64', nodes: 7 }, { workgroups: 0, large: 20, small: 20 });
    expect(visits[0]!.blocks.map(({ chosen }) => chosen).sort()).toEqual(['fused', 'parts']);
    for (const visit of visits) {
      expect(visit).toMatchObject({ valid: true, plan: 'auto', refused: [], complete: true });
      expect(visit.kernels.length).toBe(6);
      expect(visit.kernels.at(-1)).toMatch(/^conv-pointwise-gated/);
      expect(visit.difference).toBeLessThan(1e-10);
    }
  });

  it('gates are fused where they are known to be faster, without time to measure', async () => {
    const { kernels, refused, valid, unfused } = await (await enginePage(browser)).call<Shipped>(
      '/test/tuning/blocks-in-page.ts',
      'shipped',
      { id: 'v3-small-0.5-64' },
    );
    const gated = kernels.filter((kernel) => kernel.startsWith('conv-pointwise-gated'));
    expect([gated.length, unfused - kernels.length]).toEqual(browser === 'firefox' ? [9, 9] : [0, 0]);
    expect(gated.includes('conv-pointwise-gated/p7-c16-texture-software')).toBe(browser === 'firefox');
    expect({ refused, valid }).toEqual({ refused: [], valid: true });
  });

  it('without a clear lead, and where the whole network is slower with them, the parts stay', async () => {
    // Parts take 2 or 3.
    const two = { ...v2, nodes: 6 };
    const even = await tuned(two, { workgroups: 0, large: 2.9, small: 2.9 });
    const slower = await tuned(two, { workgroups: 0, large: 0.5, small: 0.5, inNetwork: 6 });
    for (const visit of [...even, ...slower]) {
      expect(visit.kernels.filter(isFused)).toEqual([]);
      expect(visit).toMatchObject({ valid: true, plan: 'unfused' });
      expect(visit.kernels.length).toBe(visit.unfused);
    }
    expect(new Set(even[0]!.blocks.map(({ chosen }) => chosen))).toEqual(new Set(['parts']));
    expect(slower[0]!.blocks.map(({ chosen }) => chosen)).toContain('fused');
    expect(slower[0]!.refused).toContain('the network is slower with it');
    // And are not tried again.
    expect(slower[1]!.blocks).toEqual([]);
    expect(slower[1]!.refused).toEqual([]);
  });
});
