import { loadLiteRt } from '@litertjs/core';
import { dependencies } from '../package.json';
import type { EngineOptions, Loader } from './engine.ts';
import { loaderWith } from './litert.ts';

export const version = dependencies['@litertjs/core'];

export async function start({ runtime, threads }: EngineOptions): Promise<Loader> {
  await loadLiteRt(`${runtime}/litert/`, { threads: threads > 1 });
  return loaderWith({ accelerator: 'wasm', cpuOptions: { numThreads: threads } }, { inFlight: 1 });
}
