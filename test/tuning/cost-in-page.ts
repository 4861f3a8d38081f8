/** What the self-check costs of the time until a first result, in the browser. */
import { load, seededInputs } from '../../src/index.ts';

/** Milliseconds until the first result of a network, and of those of the self-check. */
export async function firstResult({ id, selfCheck }: { id: string; selfCheck: 'off' | 'always' }) {
  const start = performance.now();
  const model = await load(id, { device: 'webgpu', plan: 'unfused', tuning: 'off', selfCheck });
  await model.run(seededInputs(model.graph));
  const ms = performance.now() - start;
  const report: string = model.report;
  model.dispose();
  const marks = performance.getEntriesByType('measure').map(({ name, duration }) => `${name} ${duration.toFixed(1)}`);
  performance.clearMeasures();
  return { ms, report, marks };
}
