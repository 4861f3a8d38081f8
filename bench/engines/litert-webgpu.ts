import { loadLiteRt, supportsFeature } from '@litertjs/core';
import { dependencies } from '../package.json';
import type { EngineOptions, Loader } from './engine.ts';
import { loaderWith } from './litert.ts';

export const version = dependencies['@litertjs/core'];

/** Where a browser can suspend WebAssembly (JSPI) the runtime may leave some operations to the CPU; else it falls back. */
export async function start({ runtime }: EngineOptions): Promise<Loader> {
  const jspi = await supportsFeature('jspi');
  await loadLiteRt(`${runtime}/litert/`, { jspi });
  // float32, as every engine here.
  const note = jspi ? 'JSPI' : 'no JSPI';
  return loaderWith(note, 3, { accelerator: 'webgpu', gpuOptions: { precision: 'fp32' } }, (model) => {
    if (model.options.accelerator !== 'webgpu') {
      throw new Error('LiteRT.js fell back to WebAssembly: it cannot run this model wholly on WebGPU in this browser');
    }
    if (!model.isFullyAccelerated) throw new Error('LiteRT.js left a part of this model to WebAssembly');
  });
}
