import { load, type PlanKind, version } from '../../src/index.ts';
import type { Engine } from './engine.ts';

export const mobilenetWebgpu = (plan: PlanKind): Engine => ({
  name: 'mobilenet-webgpu',
  version,
  device: 'webgpu',
  async load(graph) {
    const model = await load(graph, { device: 'webgpu', plan });
    return { run: async (input) => (await model.run(input))[graph.outputs[0]!.name]! };
  },
});
