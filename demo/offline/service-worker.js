/**
 * Keeps the page for visits without a network. What the page is made of is kept when it is installed; the page's own models
 * when they are first used; what other origins serve is none of its business. The build fills in FILES and VERSION.
 */
const FILES = [];
const VERSION = '';

const PREFIX = 'page-';
const shell = `${PREFIX}${VERSION}`;
/** Models keep their names from build to build. */
const models = 'page-models';

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(shell)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: 'reload' }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(PREFIX) && name !== shell && name !== models))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (!url.pathname.startsWith(new URL('./', self.location).pathname)) return;
  event.respondWith(answer(request, url));
});

async function answer(request, url) {
  const cache = await caches.open(shell);
  const address = url.href.split('#')[0];
  // Those that were read are there without a network too.
  if (url.pathname.includes('/documents/')) return newest(cache, request, address);
  const kept = await cache.match(request.mode === 'navigate' ? './' : address);
  if (kept) return kept;
  const isModel = /\.(bin|json|onnx|tflite|wasm)$|litert_wasm/.test(url.pathname);
  // What is not there is so to the page as well, without a word of its own.
  if (!isModel) return fetch(request).catch(() => Response.error());
  const modelCache = await caches.open(models);
  return (await modelCache.match(url.href)) ?? fetched(modelCache, request, url.href);
}

async function fetched(cache, request, address) {
  const response = await fetch(request).catch(() => Response.error());
  // A disk that is full is no reason to withhold an answer.
  if (response.status === 200) cache.put(address, response.clone()).catch(() => {});
  return response;
}

async function newest(cache, request, address) {
  const response = await fetched(cache, request, address);
  return response.type === 'error' ? ((await cache.match(address)) ?? response) : response;
}
