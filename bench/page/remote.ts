/** What Node calls in this page (`EnginePage` in src/cli): the same workbench that the page's own buttons use. */
import { decode, encode } from '../../src/cli/encoding.ts';
import type { Setup } from '../engines/keys.ts';
import { describeAdapter, type Preparation, pollsSlowly, Workbench } from './workbench.ts';

export interface RunRequest {
  readonly setup: Setup;
  readonly nudged: boolean;
}

export interface BurstRequest extends RunRequest {
  readonly frames: number;
  readonly inFlight: number;
}

let workbench: Workbench | undefined;

function current(): Workbench {
  if (!workbench) throw new Error('nothing was prepared');
  return workbench;
}

const functions: Readonly<Record<string, (argument: never) => Promise<unknown>>> = {
  describeAdapter,
  pollsSlowly,
  async prepare(preparation: Preparation) {
    workbench?.dispose();
    workbench = await Workbench.prepare(preparation);
  },
  first: async ({ setup, nudged }: RunRequest) => current().first(setup, nudged),
  open: async (setup: Setup) => current().open(setup),
  close: async (setup: Setup) => current().close(setup),
  run: async ({ setup, nudged }: RunRequest) => current().run(setup, nudged),
  burst: async ({ setup, frames, inFlight, nudged }: BurstRequest) => current().burst(setup, frames, inFlight, nudged),
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
