/**
 * XNNPACK in WebAssembly, of LiteRT.js: what runs networks fast where there is no GPU, or only a software one. It is fetched
 * by `load` where that is so; this entry is for callers who say where its files are (`liteRtFiles`), or run it themselves.
 */
export type { CpuEngine, CpuExecutor, CpuFiles, CpuNetwork } from './engine.ts';
export { liteRt } from './litert.ts';
