/** Files of an address: how they are asked for, kept and checked. Fetched where a caller says anything of it. */
import { sha256 } from '@noble/hashes/sha2.js';
import { IntegrityError, UsageError } from '../errors.ts';
import type { FetchingOptions, Integrity } from './fetching-options.ts';
import { checkRedirect } from './redirects.ts';

const storeName = 'mobilenet-webgpu';

/** The page's store; null where it has none: not a secure context, or Node. */
const openStore = async (): Promise<Cache | null> =>
  typeof caches === 'undefined' ? null : caches.open(storeName).catch(() => null);

/** What is being written into the store, by address. */
const writing = new Map<string, Promise<void>>();

const keyOf = (url: URL): string => {
  const key = new URL(url);
  key.hash = '';
  return key.href;
};

/**
 * Asks for files as the options say. A kept file is checked before it is used, and fetched anew where it is damaged; one
 * that arrives is checked while it does, and kept once it is sound. The request throws `UsageError`, `IntegrityError`;
 * what reads the answer, `IntegrityError` at its end.
 */
export function requester(options: FetchingOptions) {
  const { fetch: how, cache, integrity } = options;
  const [ask, init] =
    typeof how === 'function' ? [how, {}] : [globalThis.fetch.bind(globalThis), (how ?? {}) as RequestInit];
  const mode = cache ?? (integrity === undefined ? 'off' : 'storage');
  if (!['storage', 'only', 'off'].includes(mode))
    throw new UsageError(`cache is "${mode}", expected storage, only or off`);
  let first = true;
  return async (url: URL, signal?: AbortSignal): Promise<Response> => {
    const expected = digestOf(url, integrity, first);
    first = false;
    const key = keyOf(url);
    const store = mode === 'off' ? null : await openStore();
    await writing.get(key);
    const kept = await store?.match(key);
    if (kept && (await isSound(kept.clone(), expected))) return kept;
    if (kept) await store!.delete(key);
    if (mode === 'only') {
      const why = store
        ? kept
          ? 'what is kept is damaged and was removed'
          : 'it is not kept here'
        : 'this page has no Cache Storage (it needs https)';
      throw new UsageError(`${key}: cache is "only", and ${why}; load it once with cache: 'storage'`);
    }
    const response = await ask(url.href, signal ? { ...init, signal } : init);
    if (!response.ok || !response.body) return response;
    checkRedirect(url, response, options);
    const body = expected ? response.body.pipeThrough(checking(key, expected)) : response.body;
    const [mine, other] = store ? copied(body) : [body, null];
    if (other) {
      const copy = new Response(other, { headers: { 'Content-Type': 'application/octet-stream' } });
      // What does not fit, or is not sound, is not kept.
      const put = store!
        .put(key, copy)
        .catch(() => {})
        .then(() => {
          if (writing.get(key) === put) writing.delete(key);
        });
      writing.set(key, put);
    }
    return new Response(mine, { status: response.status, headers: response.headers });
  };
}

/**
 * A body, and a copy that fills as the body is read: where the reader ends the reading, the download ends, and the copy
 * with an error. (The branches of `tee` go on alone.)
 */
function copied(body: ReadableStream<Uint8Array<ArrayBuffer>>): readonly ReadableStream<Uint8Array<ArrayBuffer>>[] {
  const reader = body.getReader();
  let copy: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | null = null;
  const other = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      copy = controller;
    },
    cancel() {
      copy = null;
    },
  });
  const mine = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const { value } = await reader.read();
        if (value) copy?.enqueue(value);
        else copy?.close();
        if (value) controller.enqueue(value);
        else controller.close();
      } catch (error) {
        copy?.error(error);
        throw error;
      }
    },
    cancel(reason) {
      copy?.error(reason);
      copy = null;
      return reader.cancel(reason);
    },
  });
  return [mine, other];
}

/** The SHA-256 in hexadecimal that a file must have; null where nobody says. Throws `UsageError`. */
function digestOf(url: URL, integrity: Integrity | undefined, main: boolean): string | null {
  if (integrity === undefined) return null;
  const name = url.pathname.split('/').pop()!;
  const said =
    typeof integrity === 'string'
      ? main
        ? integrity
        : undefined
      : Object.hasOwn(integrity, name)
        ? integrity[name]
        : undefined;
  if (said === undefined) {
    throw new UsageError(`integrity says nothing of ${name}: pass an object of file names and their SHA-256`);
  }
  if (/^[\da-f]{64}$/i.test(said)) return said.toLowerCase();
  const base64 = /^sha256-([\w+/]{43}=)$/.exec(said)?.[1];
  if (base64) return hex(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  throw new UsageError(`integrity of ${name} is "${said}", expected 64 hexadecimal digits, or sha256- and base64`);
}

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

function checking(url: string, expected: string): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  const hash = sha256.create();
  return new TransformStream({
    transform(piece, controller) {
      hash.update(piece);
      controller.enqueue(piece as Uint8Array<ArrayBuffer>);
    },
    flush(controller) {
      const found = hex(hash.digest());
      if (found !== expected) {
        controller.error(
          new IntegrityError(
            `${url} has the SHA-256 ${found}, expected ${expected}: it is another file, or was changed on its way; nothing of it is kept`,
          ),
        );
      }
    },
  });
}

async function isSound(kept: Response, expected: string | null): Promise<boolean> {
  if (!expected) return true;
  try {
    const bytes = await kept.arrayBuffer();
    const digest = await globalThis.crypto?.subtle?.digest('SHA-256', bytes);
    return hex(digest ? new Uint8Array(digest) : sha256(new Uint8Array(bytes))) === expected;
  } catch {
    return false;
  }
}

/** Whether a file of this address is kept, so that `cache: 'only'` finds it. */
export async function isKept(url: URL): Promise<boolean> {
  await writing.get(keyOf(url));
  return (await (await openStore())?.match(keyOf(url))) !== undefined;
}

/** Removes files that made no model, once they are written. What asks for one of them waits for that. */
export function removeUnread(urls: readonly URL[]): void {
  for (const key of urls.map(keyOf)) {
    const removed = (writing.get(key) ?? Promise.resolve())
      .then(async () => void (await (await openStore())?.delete(key)))
      .catch(() => {})
      .then(() => {
        if (writing.get(key) === removed) writing.delete(key);
      });
    writing.set(key, removed);
  }
}

/** Removes the file of an address, or all that is kept. */
export async function removeKept(url?: URL): Promise<void> {
  await Promise.all(writing.values());
  if (typeof caches === 'undefined') return;
  if (url) await (await openStore())?.delete(keyOf(url));
  else await caches.delete(storeName);
}
