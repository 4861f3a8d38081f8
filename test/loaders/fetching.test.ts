/** How addresses are asked for, and what is said where that fails. */
import { createHash } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { type LoadOptions, load } from '../../src/index.ts';
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
