import type { LiteRtFactory } from './litert-module.ts';
import { trustedScriptUrl } from './trusted-script-url.ts';

interface Globals {
  ModuleFactory?: LiteRtFactory | undefined;
  define?: unknown;
}

/** Runs LiteRT.js's script, which is no module: it sets a variable, or calls an AMD loader. Undefined where it does neither. */
export const factoryOf = (address: string): Promise<LiteRtFactory | undefined> =>
  typeof document === 'undefined' ? imported(address) : inserted(address);

/** In a page, by an element. */
function inserted(address: string): Promise<LiteRtFactory | undefined> {
  const globals = globalThis as Globals;
  const script = document.createElement('script');
  script.crossOrigin = 'anonymous';
  script.src = trustedScriptUrl(address) as string;
  return new Promise<LiteRtFactory | undefined>((resolve, reject) => {
    script.onload = () => {
      resolve(globals.ModuleFactory);
      globals.ModuleFactory = undefined;
    };
    script.onerror = () => reject(new Error('there is no such script, or the policy of this page refuses it'));
    document.head.append(script);
  }).finally(() => script.remove());
}

/** In a worker, also in one that is a module and has no importScripts. Its variable is the module's own then. */
async function imported(address: string): Promise<LiteRtFactory | undefined> {
  const globals = globalThis as Globals;
  const before = globals.define;
  let factory: LiteRtFactory | undefined;
  globals.define = Object.assign(
    (_needs: unknown, make: () => LiteRtFactory) => {
      factory = make();
    },
    { amd: {} },
  );
  try {
    await import(/* @vite-ignore */ address);
  } finally {
    globals.define = before;
  }
  return factory;
}
