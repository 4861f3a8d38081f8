import { EnginePage, EngineServer } from '../../src/cli/engine-page.ts';
import type { BrowserName } from '../../src/cli/find-browsers.ts';

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
    page = engineServer().then((running) => EnginePage.open(running, browser, { log }));
    pages.set(browser, page);
  }
  return page;
}

/** Closes a browser's page, so that the next test starts it afresh and memory is given back. */
export async function closePage(browser: BrowserName): Promise<void> {
  const page = pages.get(browser);
  pages.delete(browser);
  await (await page)?.close();
}

export async function closeAll(): Promise<void> {
  await Promise.all([...pages.keys()].map(closePage));
  await (await server)?.close();
  server = undefined;
}
