import { load, type ModelSource, seededInputs, type ValidationReport } from '../../src/index.ts';
import { paintedScene } from '../support/painted-scene.ts';
import { countMemory } from '../tuning/memory-in-page.ts';

/** In the browser: bytes of weights on the GPU, counted at the calls; the difference is that of the weights. */
async function memoryOf(source: ModelSource, weights: 'auto' | 'int8'): Promise<number> {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const gpuDevice = await adapter.requestDevice({
    requiredFeatures: (['subgroups'] as const).filter((name) => adapter.features.has(name)),
  });
  const memory = countMemory(gpuDevice, ({ label }) => /^(constants|weights)/.test(label ?? ''));
  const model = await load(source, { device: 'webgpu', weights, tuning: 'off', selfCheck: 'off', gpuDevice });
  const bytes = memory.bytes();
  model.dispose();
  gpuDevice.destroy();
  return bytes;
}

/** In the browser: a network with weights as bytes through all that a model does on the GPU. */
export async function bytesAtWork({ id }: { readonly id: string }) {
  const model = await load(id, { device: 'webgpu', weights: 'int8', tuning: 'off', selfCheck: 'always' });
  const inputs = seededInputs(model.graph);
  const outputs = await model.run(inputs);
  const starting = model.plan.dispatches.map(({ kernel }) => kernel);
  const report = await model.validate(inputs);
  const { layers, kernels, refused } = await model.tune({ budgetMs: 2000, cache: null });
  const after = await model.validate(inputs);
  const again = await load(await model.save(), { device: 'webgpu', tuning: 'off' });
  const saved = await again.run(inputs);
  const { report: told, precision } = model;
  const [floats, bytes] = [await memoryOf(id, 'auto'), await memoryOf(id, 'int8')];
  model.dispose();
  again.dispose();
  return {
    outputs,
    saved,
    starting,
    layers,
    kernels,
    refused,
    reports: [report, after],
    told,
    precision,
    floats,
    bytes,
  };
}

/** In the browser: every layer of a real model with weights as bytes, fed with a painted scene. */
export async function validateBytes({
  source,
  range,
  precision,
}: {
  readonly source: string;
  readonly range: readonly [number, number];
  readonly precision: 'float32' | 'float16-storage';
}): Promise<ValidationReport> {
  const model = await load(source, { device: 'webgpu', tuning: 'off', weights: 'int8', precision });
  try {
    return await model.validate(paintedScene(model.inputs[0]!.shape.slice(1), 1, range));
  } finally {
    model.dispose();
  }
}
