import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browserNames, ensureBrowser } from '../../src/cli/find-browsers.ts';

/**
 * Before the tests on the GPU: both browsers, installed where they are missing; no test is skipped without them.
 * After them: the browsers that the worker started are ended, as a worker is not asked before it is ended itself.
 */
export default async function setup(): Promise<() => void> {
  for (const browser of browserNames) await ensureBrowser(browser, (message) => process.stderr.write(`${message}\n`));
  const folder = mkdtempSync(join(tmpdir(), 'gpu-tests-'));
  const list = join(folder, 'browsers');
  writeFileSync(list, '');
  process.env.GPU_TEST_BROWSERS = list;
  return () => {
    for (const id of readFileSync(list, 'utf8').split('\n').filter(Boolean)) {
      try {
        process.kill(Number(id));
      } catch {
        // It has ended by itself.
      }
    }
    rmSync(folder, { recursive: true });
  };
}
