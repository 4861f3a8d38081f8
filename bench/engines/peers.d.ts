/** What the bench uses of packages that are installed into bench/ only, when it runs; the type check does without. */

declare module '@tensorflow/tfjs-backend-webgpu' {
  export interface WebGPUBackend {
    checkCompileCompletionAsync(): Promise<void>;
  }
}

declare module 'webgpu' {
  export function create(flags: readonly string[]): GPU;
  export const globals: Readonly<Record<string, unknown>>;
}
