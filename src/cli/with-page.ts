import { basename, dirname, resolve } from 'node:path';
import { isArchitectureId } from '../index.ts';
import { EnginePage, type EnginePageOptions, EngineServer } from './engine-page.ts';
import type { BrowserName } from './find-browsers.ts';
import type { Io } from './io.ts';

/** Calls `use` with a page in a fresh browser, which ends after it or when the command is interrupted: throws why then. */
export async function withEnginePage<T>(
  browser: BrowserName,
  io: Io,
  options: EnginePageOptions,
  use: (page: EnginePage, server: EngineServer) => Promise<T>,
): Promise<T> {
  io.signal.throwIfAborted();
  const server = await EngineServer.start();
  try {
    const page = await EnginePage.open(server, browser, options);
    const stop = () => void page.close().catch(() => {});
    io.signal.addEventListener('abort', stop);
    try {
      io.signal.throwIfAborted();
      return await use(page, server);
    } finally {
      io.signal.removeEventListener('abort', stop);
      await page.close();
    }
  } finally {
    await server.close();
  }
}

/** What a page loads for a MODEL argument: the id, or the address of the file, whose folder is lent. */
export function sourceOf(model: string, server: { lend(name: string, folder: string): string }): string {
  if (isArchitectureId(model)) return model;
  return `${server.lend('model', dirname(resolve(model)))}/${encodeURIComponent(basename(model))}`;
}
