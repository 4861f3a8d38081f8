/** What Node calls in this page (`EnginePage` in src/cli): the same workbench that the page's own buttons use. */
import { decode, encode } from '../../src/cli/encoding.ts';
import type { EngineKey } from '../engines/keys.ts';
import { describeAdapter, type Preparation, Workbench } from './workbench.ts';

let workbench: Workbench | undefined;

function current(): Workbench {
  if (!workbench) throw new Error('nothing was prepared');
  return workbench;
}

const functions: Readonly<Record<string, (argument: never) => Promise<unknown>>> = {
  describeAdapter,
  async prepare(preparation: Preparation) {
    workbench?.dispose();
    workbench = await Workbench.prepare(preparation);
  },
  open: async (key: EngineKey) => current().open(key),
  run: async (key: EngineKey) => current().run(key),
  burst: async ({ key, frames, inFlight }: { key: EngineKey; frames: number; inFlight: number }) =>
    current().burst(key, frames, inFlight),
};

/** Frames throw errors of their own realm, which are no instances of this one's `Error`. */
export function messageOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return String(message || error);
}

export function listen(): void {
  Object.assign(globalThis, {
    engine: {
      async call(_module: string, name: string, argument: unknown) {
        try {
          return { result: encode(await functions[name]!(decode(argument) as never)) };
        } catch (error) {
          return { error: { name: 'Error', code: 'bench', message: messageOf(error), stack: '' } };
        }
      },
    },
  });
}
