/**
 * XNNPACK in WebAssembly, of LiteRT.js: what runs networks fast where there is no GPU, or only a software one. `load` fetches
 * it where that is so; this entry says where its files are in a bundled page.
 */
export type { CpuEngine, CpuExecutor, CpuFiles, CpuNetwork } from './engine.ts';
export { liteRtFiles } from './files.ts';
export { liteRt } from './litert.ts';
