import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { EngineOptions, Loader } from './engine.ts';
import { startBackend } from './tfjs-network.ts';

export { version_core as version } from '@tensorflow/tfjs-core';

export function start({ threads, runtime }: EngineOptions): Promise<Loader> {
  setWasmPaths(`${runtime}/tfjs-backend-wasm/`);
  setThreadsCount(threads);
  return startBackend('wasm');
}
