import { expect, it } from 'vitest';
import { EXACT, PACKED_DOT } from '../../src/kernels/kernel.ts';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';

it.each(browsers)(
  '%s: floats are exact, and the packed dot product is there where the browser lists it',
  async (browser) => {
    const page = await enginePage(browser);
    const { found, listed, keyStays } = await page.call<{ found: string[]; listed: boolean; keyStays: boolean }>(
      '/test/kernels/probe-in-page.ts',
      'probe',
      {},
    );
    expect(keyStays, 'what is remembered of the adapter is found again').toBe(true);
    expect(found).toContain(EXACT);
    expect(found.includes(PACKED_DOT)).toBe(listed);
  },
);
