import { load, type PlanKind, type Precision, type ValidationReport } from '../../src/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { paintedScene } from '../support/painted-scene.ts';

/** In the browser: validates a model file on WebGPU, fed with a painted scene. */
export async function validateZooModel({
  source,
  plan,
  range,
}: {
  source: string;
  plan: PlanKind;
  range: readonly [number, number];
}): Promise<ValidationReport> {
  const model = await load(source, { device: 'webgpu', plan, tuning: 'off' });
  try {
    const inputs = model.inputs.map(({ name, shape }) => [name, paintedScene(shape.slice(1), 1, range)]);
    return await model.validate(Object.fromEntries(inputs), {
      onLayer: (done, total) => globalThis.reportProgress(`layer ${done}/${total}`),
    });
  } finally {
    model.dispose();
  }
}

/** In the browser: how far the outputs on float16 storage are from those on float32, which are validated. */
export async function compareHalf({
  source,
  range,
  binary,
}: {
  source: string;
  range: readonly [number, number];
  binary: readonly string[];
}) {
  const native = (await navigator.gpu.requestAdapter())!.features.has('shader-f16');
  const precision = native ? 'float16' : 'float16-packed';
  const run = async (stored: Precision) => {
    const model = await load(source, { device: 'webgpu', tuning: 'off', precision: stored });
    try {
      const inputs = model.inputs.map(({ name, shape }) => [name, paintedScene(shape.slice(1), 1, range)]);
      return await model.run(Object.fromEntries(inputs));
    } finally {
      model.dispose();
    }
  };
  const [half, full] = [await run(precision), await run('float32')];
  const distribution = (name: string, values: Float32Array) =>
    binary.includes(name) ? Float32Array.of(values[0]!, 1 - values[0]!) : values;
  const outputs = Object.entries(full).map(([name, values]) => ({
    name,
    ...compareOutputs(distribution(name, half[name]!), distribution(name, values)),
  }));
  return { precision, outputs };
}
