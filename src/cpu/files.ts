import type { CpuFiles } from './engine.ts';

/**
 * The files of the package @litertjs/core as a bundler finds and emits them, for the option `cpu` of `load`. Of no use
 * without a bundler: say where they are then.
 */
// Left to the bundler of whoever uses this package: they are 19 MB, of which a page fetches one half.
export const liteRtFiles: CpuFiles = {
  'litert_wasm_internal.js': new URL(/* @vite-ignore */ '@litertjs/core/wasm/litert_wasm_internal.js', import.meta.url)
    .href,
  'litert_wasm_internal.wasm': new URL(
    /* @vite-ignore */ '@litertjs/core/wasm/litert_wasm_internal.wasm',
    import.meta.url,
  ).href,
  'litert_wasm_compat_internal.js': new URL(
    /* @vite-ignore */ '@litertjs/core/wasm/litert_wasm_compat_internal.js',
    import.meta.url,
  ).href,
  'litert_wasm_compat_internal.wasm': new URL(
    /* @vite-ignore */ '@litertjs/core/wasm/litert_wasm_compat_internal.wasm',
    import.meta.url,
  ).href,
};
