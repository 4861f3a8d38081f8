/**
 * The names of WebGPU's types that public signatures use, for compilers whose DOM library lacks them (TypeScript 5) where
 * `@webgpu/types` is not installed. Where there are such types, an empty interface adds nothing to them.
 */
declare global {
  interface GPU {}
  interface GPUDevice {}
  interface GPUBuffer {}
  interface GPUTexture {}
}

export {};
