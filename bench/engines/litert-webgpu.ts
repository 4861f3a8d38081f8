import { loadLiteRt, supportsFeature } from '@litertjs/core';
import { dependencies } from '../package.json';
import type { EngineOptions, Loader } from './engine.ts';
import { loaderWith } from './litert.ts';

export const version = dependencies['@litertjs/core'];

/** Where a browser can suspend WebAssembly (JSPI) the runtime may leave some operations to the CPU; else it falls back. */
export async function start({ runtime, setting, precision }: EngineOptions): Promise<Loader> {
  const jspi = setting.includes('JSPI');
  if (jspi && !(await supportsFeature('jspi'))) throw new Error('this browser has no JSPI');
  await loadLiteRt(`${runtime}/litert/`, { jspi });
  const half = precision === 'float16';
  const options = { accelerator: 'webgpu', gpuOptions: { precision: half ? 'fp16' : 'fp32' } } as const;
  return loaderWith(options, {
    inFlight: 3,
    keepInputs: setting.includes('kept input'),
    check(model, quantised) {
      if (model.options.accelerator !== 'webgpu') {
        throw new Error(
          'LiteRT.js fell back to WebAssembly: it cannot run this model wholly on WebGPU in this browser',
        );
      }
      if (!model.isFullyAccelerated && !quantised)
        throw new Error('LiteRT.js left a part of this model to WebAssembly');
    },
  });
}
