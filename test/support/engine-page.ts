import { appendFileSync } from 'node:fs';
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
    page = engineServer().then(async (running) => {
      const opened = await EnginePage.open(running, browser, { log });
      const list = process.env.GPU_TEST_BROWSERS;
      const id = opened.browser.process()?.pid;
      if (list && id) appendFileSync(list, `${id}\n`);
      return opened;
    });
    pages.set(browser, page);
  }
  return page;
}
