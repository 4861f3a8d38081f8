/** Runs in the browser: calls exports of this package's modules for Node. */
import { decode, encode } from './encoding.ts';

declare global {
  var engine: { call(module: string, name: string, argument: unknown): Promise<unknown> };
  function reportProgress(message: string): Promise<void>;
}

globalThis.engine = {
  async call(module, name, argument) {
    try {
      const exports = await import(/* @vite-ignore */ module);
      return { result: encode(await exports[name](decode(argument))) };
    } catch (error) {
      const { name: errorName = 'Error', message, stack, code = 'unknown' } = error as Error & { code?: string };
      return { error: { name: errorName, code: String(code), message: message || String(error), stack: stack ?? '' } };
    }
  },
};
