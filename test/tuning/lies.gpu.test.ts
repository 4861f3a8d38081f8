import { describe, expect, it } from 'vitest';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';
import type * as page from './lies-in-page.ts';

describe.each(browsers)('an adapter that lies, in %s', (browser) => {
  const call = async <Name extends keyof typeof page>(name: Name, argument: Parameters<(typeof page)[Name]>[0]) =>
    (await enginePage(browser)).call<Awaited<ReturnType<(typeof page)[Name]>>>(
      '/test/tuning/lies-in-page.ts',
      name,
      argument,
    );

  it.each(['negative', 'stale', 'missing', 'random'])(
    'by timestamps that are %s: tuning ends, results stay',
    async (clock) => {
      const { read, shipped, kernels, most } = await call('byClock', { clock });
      expect(read, 'the clock was read').toBeGreaterThan(0);
      expect(most).toBeLessThan(1e-10);
      // Without a time that can be, nothing is known to be faster.
      if (clock !== 'random') expect(kernels).toEqual(shipped);
    },
  );

  it('by a feature that its compiler refuses: other kernels run', async (context) => {
    if (browser === 'firefox') context.skip('no feature of WGSL is used by kernels on float32 there');
    const { refused, nmse } = await call('refusing', { directive: 'enable subgroups' });
    expect(refused).toBeGreaterThan(0);
    expect(nmse).toBeLessThan(1e-10);
  });
});
