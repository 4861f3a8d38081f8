import { load, type Precision, type ValidationReport } from '../../src/index.ts';
import { paintedScene } from '../support/painted-scene.ts';

/** In the browser: validates a model file on WebGPU, fed with a painted scene. */
export async function validateZooModel({
  source,
  precision,
  range,
}: {
  source: string;
  precision: Precision;
  range: readonly [number, number];
}): Promise<ValidationReport> {
  const model = await load(source, { device: 'webgpu', precision, tuning: 'off' });
  try {
    const inputs = model.inputs.map(({ name, shape }) => [name, paintedScene(shape.slice(1), 1, range)]);
    return await model.validate(Object.fromEntries(inputs), {
      onLayer: (done, total) => globalThis.reportProgress(`layer ${done}/${total}`),
    });
  } finally {
    model.dispose();
  }
}
