import { browserNames, ensureBrowser } from '../../src/cli/find-browsers.ts';

/** Before the tests on the GPU: both browsers, installed where they are missing; no test is skipped without them. */
export default async function setup(): Promise<void> {
  for (const browser of browserNames) await ensureBrowser(browser, (message) => process.stderr.write(`${message}\n`));
}
