import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chunkGroups, compactShaders } from '../scripts/package-parts.ts';

const folder = fileURLToPath(new URL('./', import.meta.url));
const packages = join(folder, 'node_modules');
const built = join(packages, '.bench-site');

/** Files that engines fetch by themselves, by the name that the pages know them under. */
const runtimes: Readonly<Record<string, string>> = {
  litert: join(packages, '@litertjs/core/wasm'),
  'onnxruntime-web': join(packages, 'onnxruntime-web/dist'),
  'tfjs-backend-wasm': join(packages, '@tensorflow/tfjs-backend-wasm/dist'),
};

/** TensorFlow.js hands a function of these modules to its workers as text: its names have to stay what they are. */
const textOfItself = /tfjs-backend-wasm\/wasm-out\//;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** The page, minified and split as a site would have it: each engine is a chunk, this one in the package's chunks, and its size is what users download. */
async function build(): Promise<void> {
  const vite = await import('vite');
  await vite.build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    // The entry that fetches its WebAssembly from the address that it is told, in place of a copy of its own.
    resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...vite.defaultClientConditions] },
    plugins: [
      compactShaders(),
      {
        name: 'minify',
        async generateBundle(_options, bundle) {
          for (const chunk of Object.values(bundle)) {
            if (chunk.type !== 'chunk') continue;
            const verbatim = chunk.moduleIds.some((id) => textOfItself.test(id));
            const { code, errors } = await vite.minify(chunk.fileName, chunk.code, {
              module: true,
              compress: !verbatim,
              mangle: !verbatim,
              codegen: { removeWhitespace: true },
            });
            if (errors.length > 0) throw new Error(`${chunk.fileName}: ${errors[0]!.message}`);
            chunk.code = code;
          }
        },
      },
    ],
    build: {
      outDir: built,
      emptyOutDir: true,
      target: 'esnext',
      modulePreload: false,
      reportCompressedSize: false,
      chunkSizeWarningLimit: Number.POSITIVE_INFINITY,
      rolldownOptions: {
        input: { index: join(folder, 'index.html'), frame: join(folder, 'frame.html') },
        output: { codeSplitting: { groups: [{ name: 'tfjs-threads', test: textOfItself }, ...chunkGroups] } },
      },
      minify: false,
    },
  });
}

/** A server of the built page on 127.0.0.1, cross-origin isolated, so that WebAssembly has threads and timers are fine. */
export class Site {
  readonly url: string;
  readonly #server: Server;
  readonly #lent: Map<string, string>;

  private constructor(server: Server, url: string, lent: Map<string, string>) {
    this.#server = server;
    this.url = url;
    this.#lent = lent;
  }

  /** Builds the page and serves it; `port` 0: any that is free. */
  static async start(port = 0): Promise<Site> {
    await build();
    const lent = new Map<string, string>();
    const server = createServer((request, response) => {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
      response.setHeader('Cache-Control', 'no-cache');
      const path = fileOf(request.url ?? '/', lent);
      const reading = path ? readFile(path) : Promise.reject(new Error('no such file'));
      reading.then(
        (bytes) => {
          response.setHeader('Content-Type', types[extname(path!)] ?? 'application/octet-stream');
          response.end(bytes);
        },
        () => {
          response.statusCode = 404;
          response.end('no such file');
        },
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('the server has no port');
    return new Site(server, `http://127.0.0.1:${address.port}`, lent);
  }

  /** Lends a folder's files to the pages; returns the folder's address. */
  lend(name: string, path: string): string {
    this.#lent.set(name, path);
    return `${this.url}/lent/${name}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The file behind an address, or null. `/engine` is where `EnginePage` looks for a page. */
function fileOf(url: string, lent: ReadonlyMap<string, string>): string | null {
  let path: string;
  try {
    path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return null;
  }
  if (path === '/' || path === '/engine') return join(built, 'index.html');
  const [, room = '', name = '', ...rest] = path.split('/');
  const shared = room === 'runtime' ? runtimes[name] : room === 'lent' ? lent.get(name) : undefined;
  const base = shared ?? built;
  const file = normalize(join(base, shared ? rest.join('/') : path));
  return file.startsWith(base) ? file : null;
}
