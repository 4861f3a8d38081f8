import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnginePage, EngineServer } from '../../src/cli/engine-page.ts';
import type { BrowserName } from '../../src/cli/find-browsers.ts';
import type { LaunchOptions } from '../../src/cli/launch-browser.ts';

let server: Promise<EngineServer> | undefined;
const pages = new Map<BrowserName, Promise<EnginePage>>();

const log = (message: string) => process.stderr.write(`${message}\n`);

export function engineServer(): Promise<EngineServer> {
  server ??= EngineServer.start();
  return server;
}

/** One page a browser for all tests of this worker. */
export function enginePage(browser: BrowserName): Promise<EnginePage> {
  let page = pages.get(browser);
  if (!page) {
    page = freshEnginePage(browser);
    pages.set(browser, page);
  }
  return page;
}

/** A page in a browser of its own, for a test that harms it. */
export async function freshEnginePage(
  browser: BrowserName,
  options: Pick<LaunchOptions, 'chromeFlags' | 'camera'> = {},
): Promise<EnginePage> {
  const folder = process.env.GPU_TEST_FOLDER;
  const page = await EnginePage.open(await engineServer(), browser, { log, parentFolder: folder, ...options });
  const id = page.browser.process()?.pid;
  if (folder && id) appendFileSync(join(folder, 'browsers'), `${id}\n`);
  return page;
}
