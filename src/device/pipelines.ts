import { ShaderError } from '../errors.ts';
import type { PipelineSpec } from '../planner/plan.ts';
import { checkSoon } from './gpu.ts';

export interface CompileOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each pipeline. */
  readonly onCompiled?: ((done: number, total: number) => void) | undefined;
}

/** What was compiled on a device, by content: plans that follow each other share most of it. */
const compiled = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>();

/**
 * Compiles the pipelines in parallel, without blocking the page; what the device has already is not compiled again.
 * Throws `ShaderError` with the compiler's messages and the numbered source where one is refused.
 */
export async function compilePipelines(
  device: GPUDevice,
  specs: readonly PipelineSpec[],
  { signal, onCompiled }: CompileOptions = {},
): Promise<GPUComputePipeline[]> {
  const cache = compiled.get(device) ?? new Map<string, Promise<GPUComputePipeline>>();
  compiled.set(device, cache);
  const modules = new Map<string, GPUShaderModule>();
  let done = 0;
  return Promise.all(
    specs.map(async (spec) => {
      const key = JSON.stringify(spec);
      let pipeline = cache.get(key);
      if (!pipeline) {
        pipeline = compile(device, spec, modules);
        cache.set(key, pipeline);
        pipeline.catch(() => cache.delete(key));
      }
      const result = await pipeline.catch((error) => {
        signal?.throwIfAborted();
        throw error;
      });
      signal?.throwIfAborted();
      onCompiled?.(++done, specs.length);
      return result;
    }),
  );
}

async function compile(
  device: GPUDevice,
  spec: PipelineSpec,
  modules: Map<string, GPUShaderModule>,
): Promise<GPUComputePipeline> {
  const { label, code, overrides, bindings } = spec;
  let module = modules.get(code);
  if (!module) {
    // A refused module is reported through its pipeline, with its messages.
    device.pushErrorScope('validation');
    module = device.createShaderModule({ label, code });
    device.popErrorScope().catch(() => {});
    modules.set(code, module);
  }
  const layout = device.createBindGroupLayout({ label, entries: bindings.map(layoutEntry) });
  try {
    return await device.createComputePipelineAsync({
      label,
      layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main', constants: overrides },
    });
  } catch (error) {
    if ((error as Partial<GPUPipelineError>).reason !== 'validation') await checkSoon(device, label);
    const { describeFailure } = await import('./refused-shader.ts');
    throw new ShaderError(await describeFailure(module, spec, error as Error));
  }
}

function layoutEntry(binding: PipelineSpec['bindings'][number], index: number): GPUBindGroupLayoutEntry {
  const entry = { binding: index, visibility: 4 /* GPUShaderStage.COMPUTE */ };
  if (binding === 'texture') return { ...entry, texture: { sampleType: 'unfilterable-float' } };
  if (binding === 'texture-of-words') return { ...entry, texture: { sampleType: 'uint' } };
  if (binding === 'external') return { ...entry, externalTexture: {} };
  const type = binding === 'uniform' ? 'uniform' : binding === 'read' ? 'read-only-storage' : 'storage';
  return { ...entry, buffer: { type } };
}
