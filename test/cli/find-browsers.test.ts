import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser, computeExecutablePath } from '@puppeteer/browsers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { findBrowser } from '../../src/cli/find-browsers.ts';
import { UsageError } from '../../src/errors.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'find-browsers-'));
  for (const name of ['CHROME_PATH', 'PUPPETEER_EXECUTABLE_PATH', 'FIREFOX_PATH']) vi.stubEnv(name, '');
  vi.stubEnv('PUPPETEER_CACHE_DIR', join(folder, 'cache'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** An executable that does nothing. */
function plant(path: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  chmodSync(path, 0o755);
  return path;
}

it.each([
  ['chrome', 'CHROME_PATH'],
  ['chrome', 'PUPPETEER_EXECUTABLE_PATH'],
  ['firefox', 'FIREFOX_PATH'],
] as const)('%s: %s comes first, and a wrong one is an error', async (browser, variable) => {
  vi.stubEnv(variable, plant(join(folder, 'mine')));
  expect(await findBrowser(browser)).toBe(join(folder, 'mine'));
  vi.stubEnv(variable, join(folder, 'absent'));
  await expect(findBrowser(browser)).rejects.toThrow(UsageError);
  await expect(findBrowser(browser)).rejects.toThrow(`${variable} is "${join(folder, 'absent')}"`);
});

it("takes the newest build of puppeteer's cache, by number", async () => {
  const cacheDir = join(folder, 'cache');
  const path = (buildId: string) => computeExecutablePath({ browser: Browser.CHROME, buildId, cacheDir });
  plant(path('99.0.4844.51'));
  plant(path('140.0.7339.80'));
  expect(await findBrowser('chrome')).toBe(path('140.0.7339.80'));
});

it('looks along the PATH on Linux, and nowhere on it elsewhere', async () => {
  vi.stubEnv('PATH', join(folder, 'bin'));
  const path = plant(join(folder, 'bin', 'chromium'));
  expect((await findBrowser('chrome')) === path).toBe(platform() === 'linux');
});
