/** What the bench uses of packages that are installed into bench/ only, when it runs; the type check does without. */

declare module '@tensorflow/tfjs-backend-webgpu' {}

declare module '@litertjs/core' {
  export interface CompileOptions {
    accelerator?: 'wasm' | 'webgpu' | 'webnn';
    cpuOptions?: { numThreads?: number };
    gpuOptions?: { precision?: 'fp16' | 'fp32' };
  }
  export class Tensor {
    constructor(data: Float32Array, shape: number[]);
    moveTo(destination: 'wasm' | 'webgpu'): Promise<Tensor>;
    toTypedArray(): Float32Array | Int32Array | Uint8Array;
    delete(): void;
  }
  export interface CompiledModel {
    readonly options: CompileOptions;
    readonly isFullyAccelerated: boolean;
    run(inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  }
  export function loadLiteRt(path: string, options?: { threads?: boolean; jspi?: boolean }): Promise<unknown>;
  export function loadAndCompile(model: Uint8Array, options: CompileOptions): Promise<CompiledModel>;
  export function supportsFeature(feature: 'jspi' | 'threads' | 'relaxedSimd'): Promise<boolean>;
}
