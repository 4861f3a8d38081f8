/** The roofline of each dispatch, in the browser. */
import { layerCosts } from '../src/analysis/index.ts';
import { load, type PlanOption } from '../src/index.ts';

export interface LayerRow {
  readonly node: string;
  readonly kernel: string;
  readonly shape: readonly number[];
  readonly ms: number;
  /** Two for each multiplication of a weight. */
  readonly flop: number;
  /** Tensors read and written, and weights: each once. */
  readonly bytes: number;
}

export interface LayerReport {
  readonly method: string;
  readonly rows: readonly LayerRow[];
}

export async function profileLayers({ source, plan }: { source: string; plan: PlanOption }): Promise<LayerReport> {
  const model = await load(source, { device: 'webgpu', tuning: 'off', plan });
  try {
    await model.tune({ cache: null });
    const { method, layers } = await model.profile(undefined, { repeats: 9 });
    const costs = new Map(layerCosts(model.prepared).map((cost) => [cost.name, cost]));
    const { tensors, dispatches, constants } = model.plan;
    const rows = layers.map(({ node, kernel, shape, ms }, i): LayerRow => {
      const { reads, writes } = dispatches[i]!;
      const moved = [...new Set([...reads, ...writes])].reduce((sum, name) => sum + tensors[name]!.bytes, 0);
      const weights = constants.filter((slot) => slot.node === node).reduce((sum, { bytes }) => sum + bytes, 0);
      return { node, kernel, shape, ms, flop: 2 * costs.get(node)!.multiplications, bytes: moved + weights };
    });
    return { method, rows };
  } finally {
    model.dispose();
  }
}
