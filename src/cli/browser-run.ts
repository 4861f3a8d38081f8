/** A module script in an installed browser, without a driver: it fetches what it needs from here, and posts its answer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { platform, tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import { DeviceError } from '../errors.ts';
import type { BrowserName } from './find-browsers.ts';
import { chromeFlags, firefoxPreferences } from './launch-browser.ts';

export interface BrowserRun {
  readonly browser: BrowserName;
  readonly executable: string;
  /** Body of an async function of `progress(message)`; it may import; what it returns is the answer, as JSON. */
  readonly script: string;
  /** Folders that the script may fetch from, by the first part of a path. */
  readonly folders?: Readonly<Record<string, string>> | undefined;
  /** Answers other requests of the page, with what was posted; null: there is no such thing. */
  readonly serve?: ((path: string, posted: unknown) => Promise<string | Uint8Array | null>) | undefined;
  readonly onProgress?: ((message: string) => void) | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds without a word of the page, after which it is given up. */
  readonly patienceMs?: number | undefined;
}

/** Runs the script. Throws an error of the script's own name, code and message, `DeviceError`, and the signal's reason. */
export async function runInBrowser<T>(run: BrowserRun): Promise<T> {
  run.signal.throwIfAborted();
  const folder = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-browser-'));
  const end = new AbortController();
  let child: ChildProcess | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      run.signal.addEventListener('abort', () => reject(run.signal.reason), { once: true, signal: end.signal });
      const patience = run.patienceMs ?? 60_000;
      const late = () =>
        reject(new DeviceError(`${run.browser} (${run.executable}) gave no answer in ${patience / 1000} s`));
      let timer = setTimeout(late, patience);
      const server = createServer((request, response) => {
        clearTimeout(timer);
        timer = setTimeout(late, patience);
        answer(run, request, response).then((message) => message && settle<T>(message, resolve, reject), reject);
      });
      end.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        server.closeAllConnections();
        server.close();
      });
      server.listen(0, '127.0.0.1', () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
        child = start(run, folder, url);
        child.once('error', (error) =>
          reject(new DeviceError(`${run.executable} could not be started: ${error.message}`)),
        );
        child.once('exit', (code) =>
          reject(new DeviceError(`${run.executable} ended with ${code} before it answered`)),
        );
      });
    });
  } finally {
    end.abort();
    await stop(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

function start({ browser, executable }: BrowserRun, folder: string, url: string): ChildProcess {
  const profile = join(folder, 'profile');
  mkdirSync(profile);
  if (browser === 'firefox') {
    const preferences = {
      ...firefoxPreferences,
      'browser.shell.checkDefaultBrowser': false,
      'browser.aboutwelcome.enabled': false,
    };
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${value});`);
    writeFileSync(join(profile, 'user.js'), lines.join('\n'));
  }
  const flags =
    browser === 'chrome'
      ? ['--headless=new', `--user-data-dir=${profile}`, ...chromeFlags()]
      : ['--headless', '--no-remote', '--profile', profile];
  const env = { ...process.env, XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? folder };
  // A group of its own, so that all of its processes can be ended.
  return spawn(executable, [...flags, url], { stdio: 'ignore', env, detached: platform() !== 'win32' });
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    process.kill(platform() === 'win32' ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
  await ended;
}

/** The page's last word. */
interface Message {
  readonly answer?: unknown;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string };
}

function settle<T>(message: Message, resolve: (answer: T) => void, reject: (error: Error) => void): void {
  if (message.error) {
    const { name, message: why, code } = message.error;
    reject(Object.assign(new Error(why), { name, ...(code ? { code } : {}) }));
  } else resolve(message.answer as T);
}

const page = (
  script: string,
): string => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>mobilenet-webgpu</title>
<link rel="icon" href="data:,"><script type="module">
const post = (path, value) => fetch(path, { method: 'POST', body: JSON.stringify(value) });
const progress = (message) => void post('/progress', message);
try {
  post('/answer', { answer: await (async () => { ${script} })() });
} catch ({ name, message, code }) {
  post('/answer', { error: { name, message, code } });
}
</script></head></html>`;

/** Answers one request of the page; the message that ends the run, or null. */
async function answer(run: BrowserRun, request: IncomingMessage, response: ServerResponse): Promise<Message | null> {
  const path = decodeURIComponent(new URL(request.url!, 'http://page.test').pathname);
  if (request.method === 'POST') {
    const value = JSON.parse(await text(request));
    response.end();
    if (path === '/answer') return value;
    if (path === '/progress') run.onProgress?.(value);
    else await run.serve?.(path, value);
    return null;
  }
  if (path === '/') {
    response.setHeader('Content-Type', 'text/html').end(page(run.script));
    return null;
  }
  if (path.endsWith('.js')) response.setHeader('Content-Type', 'text/javascript');
  const served = await run.serve?.(path, null);
  if (served) {
    response.end(served);
    return null;
  }
  const [, name = '', ...rest] = path.split('/');
  const folder = run.folders?.[name];
  const bytes = folder ? await readFile(join(folder, normalize(`/${rest.join('/')}`))).catch(() => null) : null;
  if (bytes) response.end(bytes);
  else response.writeHead(404).end();
  return null;
}
