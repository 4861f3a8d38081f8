/** A model in a page of an installed browser: what a command in Node asks of it crosses as requests of the page. */
import { fileURLToPath } from 'node:url';
import { type Graph, type LoadOptions, load, type Model, type Picture, UsageError } from '../node/index.ts';
import { runInBrowser } from './browser-run.ts';
import { decode } from './encoding.ts';
import { type BrowserName, findBrowser } from './find-browsers.ts';
import type { Io } from './io.ts';

type Method = 'classify' | 'embed' | 'runPicture';
type Told = 'device' | 'deviceReason' | 'adapter';

/** What commands use of a `Model`. */
export type PictureModel = Pick<Model, 'graph' | 'inputs' | 'labels' | 'dispose' | Told | Method>;

/** What the page is asked next, and what it said. */
interface Call {
  readonly id: number;
  readonly method: Method;
  readonly picture: Picture;
  readonly options: object;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Without a call, the page asks again after so many milliseconds. */
const PAUSE_MS = 5_000;

/** In the page. Typed arrays cross as src/cli/encoding.ts has them. */
const script = (options: object): string => `
  const { load } = await import('/served/engine.js');
  const cross = (key, value) => {
    if (!(value instanceof Float32Array)) return value;
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    let binary = '';
    for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return { $bytes: 'f32', base64: btoa(binary) };
  };
  const say = (path, value) => fetch(path, { method: 'POST', body: JSON.stringify(value, cross) });
  const onProgress = ({ stage, done, total }) => progress(stage + ' ' + done + '/' + total);
  const bytes = await (await fetch('/served/model')).arrayBuffer();
  const model = await load(bytes, { ...${JSON.stringify(options)}, onProgress });
  const { device, deviceReason, adapter } = model;
  await say('/served/ready', { device, deviceReason, adapter });
  for (;;) {
    const { id, method, width, height, options } = await (await fetch('/served/next')).json();
    if (id === undefined) continue;
    try {
      const data = new Uint8ClampedArray(await (await fetch('/served/picture')).arrayBuffer());
      await say('/served/result', { id, result: await model[method]({ data, width, height }, options) });
    } catch ({ name, message, code }) {
      await say('/served/result', { id, error: { name, message, code } });
    }
  }`;

/** Opens the graph there. Throws `UsageError` where there is no such browser, `DeviceError` where it does not start, and as `load` does. */
export async function openInBrowser(
  browser: BrowserName,
  graph: Graph,
  { device, embedding }: Pick<LoadOptions, 'device' | 'embedding'>,
  io: Io,
): Promise<PictureModel> {
  const executable = await findBrowser(browser);
  if (!executable) {
    throw new UsageError(
      `--browser ${browser}: it was not found here; install it, or leave --browser out to run in Node`,
    );
  }
  // Read here: labels, rules and decoding are those of the files, whatever they lay beside.
  const read = await load(graph, { device: 'reference', ...(embedding ? { embedding } : {}) });
  const saved = await read.save();
  const engine = await io.engine?.();
  const calls = new Calls();
  const end = new AbortController();
  const told = new Promise<Pick<Model, Told>>((resolve, reject) => {
    runInBrowser({
      browser,
      executable,
      folders: { dist: fileURLToPath(new URL('..', import.meta.url)) },
      script: script({ device, tuning: 'off' }),
      onProgress: (message) => io.stderr.write(`\r${message}        `),
      signal: AbortSignal.any([io.signal, end.signal]),
      patienceMs: 180_000,
      serve: async (path, posted) => {
        if (path === '/served/engine.js')
          return `export * from '${engine ? `${engine.url}/src/index.ts` : '/dist/index.js'}';`;
        if (path === '/served/model') return saved;
        if (path === '/served/ready') resolve(posted as Pick<Model, Told>);
        return calls.serve(path, posted);
      },
    })
      .catch((error) => {
        reject(error);
        calls.fail(error);
      })
      .finally(() => engine?.close());
  });
  const ask =
    (method: Method) =>
    (picture: unknown, options: { signal?: AbortSignal } = {}) => {
      const { signal: _, ...crossing } = options;
      return calls.ask(method, picture as Picture, crossing);
    };
  return {
    ...{ graph: read.graph, inputs: read.inputs, labels: read.labels },
    ...(await told),
    ...({ classify: ask('classify'), embed: ask('embed'), runPicture: ask('runPicture') } as Pick<Model, Method>),
    dispose() {
      read.dispose();
      end.abort(new Error('done'));
    },
  };
}

/** Calls in the order in which they were made, one at a time. */
class Calls {
  readonly #waiting: Call[] = [];
  #current: Call | null = null;
  #count = 0;
  #failure: unknown = null;
  #wake = () => {};

  ask(method: Method, picture: Picture, options: object): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id: ++this.#count, method, picture, options, resolve, reject });
      this.#wake();
    });
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#current?.reject(error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async serve(path: string, posted: unknown): Promise<string | Uint8Array | null> {
    if (path === '/served/picture') return Uint8Array.from(this.#current!.picture.data);
    if (path === '/served/result') {
      const { result, error } = decode(posted) as { result?: unknown; error?: { name: string; message: string } };
      if (error) this.#current!.reject(Object.assign(new Error(error.message), error));
      else this.#current!.resolve(result);
      this.#current = null;
      return '';
    }
    if (path !== '/served/next') return '';
    if (this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PAUSE_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#current = this.#waiting.shift() ?? null;
    if (!this.#current) return '{}';
    const { id, method, options, picture } = this.#current;
    return JSON.stringify({ id, method, options, width: picture.width, height: picture.height });
  }
}
