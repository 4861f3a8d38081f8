import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';
import type * as page from './faults-in-page.ts';

type Result<Name extends keyof typeof page> = Awaited<ReturnType<(typeof page)[Name]>>;

describe.each(browsers)('tuning in %s', (browser) => {
  const call = async <Name extends keyof typeof page>(name: Name, argument: Parameters<(typeof page)[Name]>[0]) =>
    (await enginePage(browser)).call<Result<Name>>('/test/tuning/faults-in-page.ts', name, argument);

  it.each([
    ['negative', /leaves the bound/],
    ['syntax', /was refused/],
  ])('refuses a kernel with the fault "%s", and goes on', async (how, reason) => {
    const found = await call('tuneSabotaged', { how });
    expect(found.reasons).toHaveLength(4);
    for (const one of found.reasons) expect(one).toMatch(reason);
    expect(found).toMatchObject({ used: false, complete: true });
    expect(Math.max(...found.differences)).toBeLessThan(1e-10);
  });

  it('does not take up, remember or meet again a kernel that gives a network other outputs', async () => {
    const { claimed, visits, chosen, refused } = await call('tunePoisoned', {});
    expect(claimed).toBe(4);
    const [first, second] = visits;
    expect(first!.used || second!.used).toBe(false);
    expect(first!.refused.length).toBeGreaterThan(0);
    expect(first!.refused.every(Boolean)).toBe(true);
    expect(second!.refused).toEqual([]);
    expect({ chosen, refused }).toEqual({ chosen: 0, refused: first!.refused.length });
  });

  it('goes on where the visit before stopped', async () => {
    const { visits, repeated, layers } = await call('tuneInVisits', { budgetMs: 100 });
    expect(visits.length).toBeGreaterThan(1);
    expect(visits.at(-1)!.complete).toBe(true);
    for (const { learned } of visits.slice(0, -1)) expect(learned).toBeGreaterThan(0);
    expect(repeated).toEqual([]);
    const ops = layers.map((key) => JSON.parse(key)[0].op);
    expect(new Set(ops)).toEqual(new Set(['conv2d', 'fully-connected', 'global-average-pool']));
  });

  it('tells how many layers of this network it remembered', async () => {
    const { remembered, kept } = await call('tuneSeveral', { widths: [8, 12, 8] });
    const [first, second, again] = remembered;
    expect(again).toEqual({ remembered: first!.measured, measured: 0 });
    expect(kept).toBe(first!.measured + second!.measured);
  });

  it.each([true, false])('frees everything wherever it ends (disposed of: %s)', async (dispose) => {
    const buffers = suite === 'full' ? [1, 3, 7, 12, 20, 40] : [1, 7, 40];
    const ends = await call('endTuning', { buffers, dispose });
    for (const { outcome, held } of ends) {
      expect(held).toBe(0);
      expect(outcome).toBe(dispose ? 'UsageError' : 'AbortError');
    }
  });

  it('tries the kernels that a plan of halves runs', async () => {
    const { complete, refused, tried, ops, chosen, runs } = await call('tuneHalves', {});
    expect(complete).toBe(true);
    expect(refused).toEqual([]);
    expect(tried).toContain('conv-stem');
    expect(ops.sort()).toEqual(['conv2d', 'fully-connected', 'global-average-pool']);
    expect(runs).toEqual(expect.arrayContaining(chosen));
  });
});
