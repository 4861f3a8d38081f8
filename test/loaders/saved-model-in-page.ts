/** Saves a model in the browser, opens the file, and compares what both give. */
import { load, seededInputs } from '../../src/index.ts';

export async function saveAndOpen({ id }: { id: string }) {
  const model = await load(id, { device: 'webgpu', tuning: 'off' });
  const inputs = seededInputs(model.graph);
  const outputs = await model.run(inputs);
  const bytes = await model.save();
  model.dispose();
  const opened = await load(bytes, { device: 'webgpu', tuning: 'off' });
  const again = await opened.run(inputs);
  const fused = await load(bytes, { device: 'webgpu', tuning: 'off', plan: 'fused' });
  const { ok } = await fused.validate(inputs);
  opened.dispose();
  fused.dispose();
  const same = Object.entries(outputs).every(([name, values]) => values.every((v, i) => Object.is(v, again[name]![i])));
  return { same, outputs: Object.keys(again), nodes: opened.prepared === opened.graph, fusedIsRight: ok };
}
