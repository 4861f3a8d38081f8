import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface StaticServer {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * Serves folders by the first part of a path, on a free port of 127.0.0.1. `headers` says what an answer carries besides
 * its type.
 */
export async function serveFolders(
  folders: Readonly<Record<string, string>>,
  headers: (path: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<StaticServer> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://page.test').pathname);
    asked.push(path);
    const [, name = '', ...rest] = path.split('/');
    const file = rest.at(-1) === '' ? [...rest.slice(0, -1), 'index.html'] : rest;
    const folder = folders[name];
    const bytes = folder ? await readFile(join(folder, normalize(`/${file.join('/')}`))).catch(() => null) : null;
    if (!bytes) return response.writeHead(404).end();
    for (const [header, value] of Object.entries(headers(path))) response.setHeader(header, value);
    response.setHeader('Content-Type', types[extname(file.join('/'))] ?? 'application/octet-stream');
    return response.end(bytes);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((closed) => {
        // In this order: a browser whose request is cut asks again at once.
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
