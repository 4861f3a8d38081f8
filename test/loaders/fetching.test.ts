/** How addresses are asked for, and what is said where that fails. */
import { createHash } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { clearCache, isCached, type LoadOptions, load } from '../../src/index.ts';
import { prepare } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';

const address = 'https://models.test/a/model.tflite';
const model = writeTflite(prepare(buildArchitecture('v1-0.25-32', { classes: 3 })));
const sha256 = createHash('sha256').update(model).digest();

afterEach(() => void vi.unstubAllGlobals());

/** What `load` says of a server that answers so; asked, what it asked for. */
async function loadFrom(answer: () => Response | Promise<Response>, options: LoadOptions = {}) {
  const asked: (readonly [string, RequestInit])[] = [];
  vi.stubGlobal('fetch', async (url: string | URL, init: RequestInit = {}) => {
    asked.push([String(url), init]);
    return answer();
  });
  const told = await load(address, { device: 'reference', ...options }).then(
    ({ graph }) => `${graph.outputs.length} output`,
    (error: Error) => `${error.name}: ${error.message}`,
  );
  return { told, asked };
}

const found = () => new Response(model as Uint8Array<ArrayBuffer>);

it('an address that does not answer, or answers otherwise, is a FetchError that says what to do', async () => {
  const offline = () => Promise.reject(new TypeError('Failed to fetch'));
  expect((await loadFrom(offline)).told).toMatch(
    /^FetchError: .*could not be fetched: Failed to fetch; check the address/,
  );
  vi.stubGlobal('navigator', { onLine: false });
  expect((await loadFrom(offline)).told).toMatch(/there is no network: a model that was loaded with cache: 'storage'/);
  const says = (status: number) => loadFrom(() => new Response('', { status })).then(({ told }) => told);
  expect(await says(403)).toMatch(/^FetchError: .*answered 403.*pass headers or credentials by the option fetch/);
  expect(await says(404)).toMatch(/^FetchError: .*answered 404.*check the address/);
  expect(await says(503)).toMatch(/^FetchError: .*answered 503.*try again later/);
});

it('a page in the place of the model is told apart from a damaged file', async () => {
  const { told } = await loadFrom(() => new Response('<!doctype html><title>Not here</title>'));
  expect(told).toMatch(/^ModelFormatError: .*looks like an HTML or XML page \(was the address right\?\)/);
});

it('fetch takes headers and credentials, or a function in its place', async () => {
  const { told, asked } = await loadFrom(found, { fetch: { headers: { Authorization: 'x' }, credentials: 'include' } });
  expect(told).toBe('1 output');
  expect(asked[0]).toEqual([
    address,
    expect.objectContaining({ headers: { Authorization: 'x' }, credentials: 'include' }),
  ]);
  const own = vi.fn(async (_url: string, _init: RequestInit) => found());
  expect(await loadFrom(found, { fetch: own })).toEqual({ told: '1 output', asked: [] });
  expect(own.mock.calls[0]![0]).toBe(address);
});

it('integrity is the SHA-256 in hexadecimal or base64, and another file is refused', async () => {
  for (const integrity of [
    sha256.toString('hex'),
    `sha256-${sha256.toString('base64')}`,
    { 'model.tflite': sha256.toString('hex') },
  ]) {
    expect((await loadFrom(found, { integrity })).told).toBe('1 output');
  }
  const wrong = await loadFrom(() => new Response(model.slice(0, -1)), { integrity: sha256.toString('hex') });
  expect(wrong.told).toMatch(/^IntegrityError: .*has the SHA-256 [\da-f]{64}, expected [\da-f]{64}/);
  expect((await loadFrom(found, { integrity: 'md5-x' })).told).toMatch(
    /^UsageError: integrity of model\.tflite is "md5-x"/,
  );
  expect((await loadFrom(found, { integrity: {} })).told).toMatch(
    /^UsageError: integrity says nothing of model\.tflite/,
  );
  expect((await loadFrom(found, { cache: 'only' })).told).toMatch(/^UsageError: .*this page has no Cache Storage/);
});

it('the hash of the catalogue holds where integrity is said to be undefined', async () => {
  vi.stubGlobal('fetch', async () => found());
  const loading = load('imagenet/v1-0.25', { device: 'reference', integrity: undefined } as object);
  await expect(loading).rejects.toThrow(/has the SHA-256 [\da-f]{64}, expected [\da-f]{64}/);
});

it.each([
  ['bytes', () => model],
  ['a Blob', () => new Blob([model as Uint8Array<ArrayBuffer>])],
  ['files', () => [new File([model as Uint8Array<ArrayBuffer>], 'model.tflite')]],
])('integrity is refused with %s, not passed over', async (_name, source) => {
  const integrity = '0'.repeat(64);
  await expect(load(source(), { device: 'reference', integrity })).rejects.toThrow('"integrity" is for addresses');
});

/** Cache Storage with one store. */
function stubStorage(): Map<string, Uint8Array<ArrayBuffer>> {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  const store = {
    match: async (key: string) => (kept.has(key) ? new Response(kept.get(key)) : undefined),
    put: async (key: string, answer: Response) => void kept.set(key, new Uint8Array(await answer.arrayBuffer())),
    delete: async (key: string) => kept.delete(key),
  };
  vi.stubGlobal('caches', { open: async () => store, delete: async () => kept.clear() });
  return kept;
}

it('keeps a file that made a model', async () => {
  const kept = stubStorage();
  expect((await loadFrom(found, { cache: 'storage' })).told).toBe('1 output');
  expect(await isCached(address)).toBe(true);
  expect(kept.get(address)).toEqual(new Uint8Array(model));
  expect(await loadFrom(found, { cache: 'storage' })).toEqual({ told: '1 output', asked: [] });
});

it('maxBytes ends the download of a file that would be kept', async () => {
  const kept = stubStorage();
  let pieces = 0;
  let ended = false;
  const endless = () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await new Promise((next) => setTimeout(next));
          if (++pieces > 200) controller.close();
          else controller.enqueue(new Uint8Array(1000));
        },
        cancel() {
          ended = true;
        },
      }),
    );
  expect((await loadFrom(endless, { cache: 'storage', maxBytes: 5000 })).told).toMatch(/has more than 5000 bytes/);
  expect(await isCached(address)).toBe(false);
  expect([ended, pieces < 20, kept.size]).toEqual([true, true, 0]);
});

it('what is no model is not kept, nor are the files beside it: the server is asked again', async () => {
  const kept = stubStorage();
  const page = () => new Response('<!doctype html><title>Log in</title>');
  expect((await loadFrom(page, { cache: 'storage' })).told).toMatch(/^ModelFormatError/);
  const { told, asked } = await loadFrom(found, { cache: 'storage' });
  expect([told, asked.length]).toEqual(['1 output', 1]);
  await clearCache();
  const weights = [{ name: 'w', shape: [1000], dtype: 'float32' }];
  const json = { modelTopology: { node: [] }, weightsManifest: [{ paths: ['shard.bin'], weights }] };
  const answers = [new Response(JSON.stringify(json)), page()];
  const shards = await loadFrom(() => answers.shift()!, { cache: 'storage' });
  expect([shards.told.split(':')[0], shards.asked.length]).toEqual(['ModelFormatError', 2]);
  expect(await isCached(new URL('shard.bin', address))).toBe(false);
  expect(kept.size).toBe(0);
});
