import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { browserNames, ensureBrowser } from '../../src/cli/find-browsers.ts';

/**
 * Before the tests on the GPU: both browsers, installed where they are missing; no test is skipped without them.
 * After them: the browsers that the worker started are ended and their profiles removed, as a worker is not asked
 * before it is ended itself.
 */
export default async function setup(): Promise<() => Promise<void>> {
  for (const browser of browserNames) await ensureBrowser(browser, (message) => process.stderr.write(`${message}\n`));
  const folder = mkdtempSync(join(tmpdir(), 'gpu-tests-'));
  const list = join(folder, 'browsers');
  writeFileSync(list, '');
  process.env.GPU_TEST_FOLDER = folder;
  return async () => {
    const browsers = readFileSync(list, 'utf8').split('\n').filter(Boolean).map(Number);
    await Promise.all(browsers.map(end));
    rmSync(folder, { recursive: true, maxRetries: 10, retryDelay: 200 });
  };
}

/** Ends a browser with its child processes; puppeteer starts each as the leader of a group, but not on Windows. */
async function end(browser: number): Promise<void> {
  const target = platform() === 'win32' ? browser : -browser;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (let attempt = 0; attempt < 30; attempt++) {
      try {
        process.kill(target, attempt === 0 ? signal : 0);
      } catch {
        return;
      }
      await setTimeout(100);
    }
  }
}
