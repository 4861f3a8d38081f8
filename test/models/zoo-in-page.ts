import { load, type PlanKind, type ValidationReport } from '../../src/index.ts';
import { randomValues } from '../support/random-values.ts';

/** In the browser: validates a model file on WebGPU, fed with values of a range. */
export async function validateZooModel({
  source,
  plan,
  range: [low, high],
  whole,
}: {
  source: string;
  plan: PlanKind;
  range: readonly [number, number];
  whole: boolean;
}): Promise<ValidationReport> {
  const model = await load(source, { device: 'webgpu', plan, tuning: 'off' });
  try {
    const inputs = model.inputs.map(({ name, shape }) => {
      const values = randomValues(
        shape.reduce((a, b) => a * b, 1),
        1,
        low,
        high,
      );
      return [name, whole ? values.map(Math.floor) : values];
    });
    return await model.validate(Object.fromEntries(inputs), {
      onLayer: (done, total) => globalThis.reportProgress(`layer ${done}/${total}`),
    });
  } finally {
    model.dispose();
  }
}
