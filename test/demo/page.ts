/** The page, served and opened for tests. */
import type { Browser, Page } from 'puppeteer';
import { createServer } from 'vite';

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function servePage(): Promise<PageServer> {
  const server = await createServer({
    configFile: 'demo/vite.config.ts',
    logLevel: 'error',
    // A file that changes meanwhile is not to load the pages again.
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('the page has no address');
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}

/** Opens the page; `errors`: what it throws, violations of its policy too; `away`: what it asks other origins for. `before` runs in the page before all else. */
export async function openPage(browser: Browser, url: string, width = 1200, before: () => void = () => {}) {
  const page = await browser.newPage();
  await page.setViewport({ width, height: 900 });
  const errors: string[] = [];
  const away: string[] = [];
  page.on('pageerror', (error) => errors.push((error as Error).message));
  page.on('request', (request) => {
    const address = new URL(request.url());
    if (/^http/.test(address.protocol) && address.origin !== new URL(url).origin) away.push(address.href);
  });
  await page.evaluateOnNewDocument(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      throw new Error(`Content-Security-Policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  await page.evaluateOnNewDocument(before);
  await page.goto(url);
  await page.bringToFront();
  // The first tab's module has come.
  if (new URL(url).hash === '') await until(page, "document.querySelector('#see-paintings button')");
  return { page, errors, away };
}

export const text = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, (element) => (element as HTMLElement).innerText);

export const until = (page: Page, condition: string): Promise<unknown> =>
  page.waitForFunction(condition, { timeout: 90_000 });

/** Pastes a file, as the clipboard hands one over. */
export const paste = (page: Page, bytes: Uint8Array, name: string, type: string): Promise<void> =>
  page.evaluate(
    (encoded, file, kind) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(
        new File([Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))], file, { type: kind }),
      );
      // Firefox takes no such data in the constructor.
      const event = Object.defineProperty(new Event('paste', { bubbles: true }), 'clipboardData', {
        value: clipboardData,
      });
      document.body.dispatchEvent(event);
    },
    Buffer.from(bytes).toString('base64'),
    name,
    type,
  );
