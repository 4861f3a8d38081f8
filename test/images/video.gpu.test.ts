import { afterAll, describe, expect, it } from 'vitest';
import type { EnginePage } from '../../src/cli/engine-page.ts';
import { freshEnginePage } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';

interface Turn {
  readonly run: number;
  readonly fps: number;
  readonly results: number;
  readonly age: number;
  readonly dropped: number;
  readonly increasing: boolean;
}

describe.each(browsers)('a camera in %s', (browser) => {
  let page: EnginePage | undefined;
  afterAll(() => page?.close());

  it('gives as many results as the model or the camera does, of new frames, with no pixel on the CPU', async () => {
    page = await freshEnginePage(browser, { camera: 'allowed' });
    const { turns, size } = await page.call<{ turns: Turn[]; size: number[] }>(
      '/test/images/video-in-page.ts',
      'streamCamera',
      suite === 'full' ? { id: 'v2-1.0-224' } : { id: 'v1-0.25-96', rounds: 1, each: 800 },
    );
    const shares = turns.map(({ run, fps, results }) => results / Math.min(fps, 1000 / run));
    const late = turns.map(({ run, fps, age }) => age - 2 * run - 1000 / fps);
    expect(size).toEqual([640, 480]);
    // How fast it is counts on a machine that does nothing else. Chromium on SwiftShader copies a bitmap of this size by
    // drawing it, in 17 ms.
    if (suite === 'full') {
      console.log(
        `${browser}: ${shares.map((share) => share.toFixed(2))} of what could be, late by ${late.map(Math.round)} ms`,
      );
      expect(Math.max(...shares)).toBeGreaterThanOrEqual(browser === 'firefox' ? 0.9 : 0.75);
      expect(Math.min(...late)).toBeLessThanOrEqual(0);
    }
    for (const { increasing, dropped } of turns) {
      expect(increasing).toBe(true);
      expect(dropped).toBeGreaterThanOrEqual(0);
    }
  });
});
