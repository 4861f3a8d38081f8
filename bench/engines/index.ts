import type { EngineModule } from './engine.ts';
import type { EngineKey } from './keys.ts';

/** Each engine is a chunk of its own: what it downloads is what is counted. */
export async function importEngine({ name, device }: EngineKey): Promise<EngineModule> {
  switch (name) {
    case 'mobilenet-webgpu':
      return import('./mobilenet-webgpu.ts');
    case 'litert':
      return device === 'webgpu' ? import('./litert-webgpu.ts') : import('./litert-wasm.ts');
    case 'tfjs':
      return device === 'webgpu' ? import('./tfjs-webgpu.ts') : import('./tfjs-wasm.ts');
    case 'onnxruntime-web':
      return device === 'webgpu' ? import('./onnxruntime-webgpu.ts') : import('./onnxruntime-wasm.ts');
  }
}
