interface Policy {
  createScriptURL(url: string): string;
}

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): Policy;
}

const WORKER = './service-worker.js';

/** Keeps the page for visits without a network, where the browser can; of a page that is being developed nothing is kept. */
export async function keepOffline(): Promise<void> {
  // The build puts it there, and the service worker beside it.
  if (!document.querySelector('link[rel=manifest]') || !('serviceWorker' in navigator)) return;
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  const policy = factory?.createPolicy('page', {
    createScriptURL(url) {
      if (url !== WORKER) throw new TypeError(`"${url}" is no script of this page`);
      return url;
    },
  });
  // A visit without a network is lost, no more.
  await navigator.serviceWorker.register(policy?.createScriptURL(WORKER) ?? WORKER).catch(() => {});
}
