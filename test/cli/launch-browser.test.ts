import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { launchBrowser } from '../../src/cli/launch-browser.ts';
import { DeviceError, UsageError } from '../../src/errors.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'launch-browser-'));
  // An executable on every system that refuses a browser's arguments.
  vi.stubEnv('CHROME_PATH', process.execPath);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const launch = () => launchBrowser('chrome', { log: () => {}, parentFolder: folder });

it('says which browser did not start, and in its words why', async () => {
  const error = await launch().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DeviceError);
  const { message } = error as Error;
  expect(message.startsWith(`${process.execPath} could not be started: `)).toBe(true);
  expect(message).toMatch(/bad option/);
  expect(message).not.toMatch(/TROUBLESHOOTING/);
});

it('refuses an adapter that it does not know', async () => {
  vi.stubEnv('WEBGPU_ADAPTER', 'fast');
  await expect(launch()).rejects.toThrow(UsageError);
  await expect(launch()).rejects.toThrow('WEBGPU_ADAPTER is "fast", expected "software" or "hardware"');
});
