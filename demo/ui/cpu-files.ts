import compatScript from '../../node_modules/@litertjs/core/wasm/litert_wasm_compat_internal.js?url';
import compatBinary from '../../node_modules/@litertjs/core/wasm/litert_wasm_compat_internal.wasm?url';
import script from '../../node_modules/@litertjs/core/wasm/litert_wasm_internal.js?url';
import binary from '../../node_modules/@litertjs/core/wasm/litert_wasm_internal.wasm?url';
import type { LoadOptions } from '../../src/index.ts';

/** The engine for the CPU: 9 MB, of which nothing is fetched where the GPU is fast. */
export const cpuFiles: NonNullable<LoadOptions['cpu']> = {
  'litert_wasm_internal.js': script,
  'litert_wasm_internal.wasm': binary,
  'litert_wasm_compat_internal.js': compatScript,
  'litert_wasm_compat_internal.wasm': compatBinary,
};
