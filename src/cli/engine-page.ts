/**
 * A page in a real browser in which functions of this package run: tests and commands call them from Node and get
 * their results, progress and errors back.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer';
import type { ViteDevServer } from 'vite';
import { DeviceError, MobileNetError } from '../errors.ts';
import { decode, encode } from './encoding.ts';
import type { BrowserName } from './find-browsers.ts';
import { type LaunchOptions, launchBrowser } from './launch-browser.ts';

/** Plain, not through Vite, whose client would look for a socket. */
const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>mobilenet-webgpu</title>
<link rel="icon" href="data:,">
<script type="module" src="/@fs/${fileURLToPath(new URL('./page.ts', import.meta.url))}"></script></head></html>`;

/** For timers of 5 µs and for shared memory (threads of WebAssembly). */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
} as const;

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** A Vite server of the repository on a free port of 127.0.0.1, and the folders that were lent to its pages. */
export class EngineServer {
  readonly url: string;
  readonly #vite: ViteDevServer;
  readonly #folders: Map<string, string>;

  private constructor(vite: ViteDevServer, url: string, folders: Map<string, string>) {
    this.#vite = vite;
    this.url = url;
    this.#folders = folders;
  }

  static async start(): Promise<EngineServer> {
    const { createServer } = await import('vite');
    const folders = new Map<string, string>();
    const vite = await createServer({
      root: repository,
      configFile: false,
      appType: 'custom',
      logLevel: 'error',
      clearScreen: false,
      cacheDir: 'node_modules/.vite-engine',
      server: {
        host: '127.0.0.1',
        port: 0,
        hmr: false,
        ws: false,
        watch: null,
        fs: { allow: [repository] },
        headers: isolation,
      },
      // A dependency that is discovered later would reload the page in the middle of a call.
      optimizeDeps: { noDiscovery: true },
      plugins: [
        {
          name: 'lent-folders',
          configureServer(server) {
            server.middlewares.use('/engine', (_request, response) => {
              // Answered before Vite would add its headers.
              response.writeHead(200, { ...isolation, 'Content-Type': 'text/html' });
              response.end(html);
            });
            server.middlewares.use('/lent/', (request, response, next) => {
              const [name = '', ...path] = decodeURIComponent((request.url ?? '').slice(1)).split('/');
              const folder = folders.get(name);
              if (!folder || path.includes('..')) return next();
              readFile(join(folder, ...path)).then(
                (bytes) => {
                  response.setHeader('Content-Type', 'application/octet-stream');
                  response.end(bytes);
                },
                (error: Error) => {
                  response.statusCode = 404;
                  response.end(error.message);
                },
              );
            });
          },
        },
      ],
    });
    await vite.listen();
    const address = vite.httpServer?.address();
    if (!address || typeof address === 'string') throw new Error('the server has no port');
    return new EngineServer(vite, `http://127.0.0.1:${address.port}`, folders);
  }

  /** Lends a folder's files to the pages; returns the folder's address. */
  lend(name: string, folder: string): string {
    this.#folders.set(name, folder);
    return `${this.url}/lent/${name}`;
  }

  close(): Promise<void> {
    return this.#vite.close();
  }
}

export interface EnginePageOptions extends LaunchOptions {
  /** Called with what the page reports while a call runs. */
  readonly onProgress?: ((message: string) => void) | undefined;
}

/** An error of the page itself, or one that a call in it threw, with the code that it had there. */
class PageError extends MobileNetError {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export class EnginePage {
  readonly browser: Browser;
  readonly page: Page;
  onProgress: (message: string) => void = () => {};

  /** Rejects when the page or its browser ends: puppeteer itself goes on waiting for a crashed page. */
  readonly #ended: Promise<never>;
  readonly #name: BrowserName;

  private constructor(browser: Browser, page: Page, name: BrowserName) {
    this.browser = browser;
    this.page = page;
    this.#name = name;
    this.#ended = new Promise((_, reject) => {
      const end = (what: string) => reject(new PageError('page-ended', `${name}: ${what}`));
      page.once('error', (error) => end(`the page crashed (${error.message})`));
      page.once('close', () => end('the page was closed'));
      browser.once('disconnected', () => end('the browser ended'));
    });
    this.#ended.catch(() => {});
  }

  /** Opens a page in a fresh browser. Throws `DeviceError` where it has no WebGPU adapter: nothing is skipped. */
  static async open(server: EngineServer, name: BrowserName, options: EnginePageOptions): Promise<EnginePage> {
    const browser = await launchBrowser(name, options);
    try {
      return await EnginePage.openIn(browser, server, name, options);
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** Opens one more page in a browser. */
  static async openIn(
    browser: Browser,
    server: { readonly url: string },
    name: BrowserName,
    options: EnginePageOptions,
  ): Promise<EnginePage> {
    const page = await browser.newPage();
    const engine = new EnginePage(browser, page, name);
    if (options.onProgress) engine.onProgress = options.onProgress;
    const report = (message: string) => {
      // Vite's client, which its import rewriting brings along, misses its socket; there is none on purpose.
      if (!/\[vite\]|ws:\/\//.test(message)) options.log(`${name}: ${message}`);
    };
    page.on('console', (message) => {
      if (message.type() === 'error') report(message.text());
    });
    page.on('pageerror', (error) => report((error as Error).message));
    await page.exposeFunction('reportProgress', (message: string) => engine.onProgress(message));
    await page.goto(`${server.url}/engine`);
    await page.waitForFunction('globalThis.engine !== undefined', { timeout: 60_000 });
    const adapter = await page.evaluate(`(async () => {
      const gpu = navigator.gpu;
      return !!((await gpu?.requestAdapter()) ?? (await gpu?.requestAdapter({ featureLevel: 'compatibility' })));
    })()`);
    if (adapter !== true) throw new DeviceError(`${name} (${await browser.version()}) has no WebGPU adapter here`);
    return engine;
  }

  /**
   * Calls an export of a module (a path from the repository's root) in the page. Arguments and result are JSON and
   * typed arrays; an error arrives with its own name, code and message. Throws a `MobileNetError` of code "page-ended"
   * where the page crashes or its browser ends meanwhile.
   */
  async call<T>(module: string, name: string, argument?: unknown): Promise<T> {
    const evaluation = this.page.evaluate(
      `engine.call(${JSON.stringify(module)}, ${JSON.stringify(name)}, ${JSON.stringify(encode(argument))})`,
    );
    // Errors of the module are part of the answer: this is a page that ended, in puppeteer's words.
    const answer = (await Promise.race([this.#ended, evaluation]).catch((cause: Error) => {
      if (cause instanceof MobileNetError) throw cause;
      throw new PageError('page-ended', `${this.#name}: ${cause.message}`, { cause });
    })) as { result?: unknown; error?: { name: string; code: string; message: string; stack: string } };
    if (answer.error) {
      const { code, message, stack } = answer.error;
      const error = new PageError(code, message);
      Object.defineProperty(error, 'name', { value: answer.error.name });
      error.stack = stack;
      throw error;
    }
    return decode(answer.result) as T;
  }

  close(): Promise<void> {
    return this.browser.close();
  }
}
