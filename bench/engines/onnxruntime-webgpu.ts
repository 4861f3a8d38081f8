import { dependencies } from '../package.json';
import type { EngineOptions, Loader } from './engine.ts';
import { startRuntime } from './onnxruntime.ts';

export const version = dependencies['onnxruntime-web'];

/** `unchecked`: without the runtime's own validation beside the browser's. */
export async function start(options: EngineOptions): Promise<Loader> {
  const jspi = options.setting.includes('JSPI');
  if (jspi && !('Suspending' in WebAssembly)) throw new Error('this browser has no JSPI');
  const ort = await (jspi ? import('onnxruntime-web/jspi') : import('onnxruntime-web/webgpu'));
  const provider = {
    name: 'webgpu' as const,
    ...(options.setting.includes('unchecked') ? { validationMode: 'disabled' as const } : {}),
  };
  return startRuntime(ort, options, { executionProviders: [provider] }, true);
}
