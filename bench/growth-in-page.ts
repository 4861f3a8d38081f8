/** Warm times of one network in many sizes, in the browser. */
import { buildArchitecture } from '../src/architectures/index.ts';
import { type AdapterDescription, load, type PlanOption, seededInputs } from '../src/index.ts';

export interface GrowthRequest {
  readonly networks: readonly { readonly id: string; readonly batch: number }[];
  readonly plan: PlanOption;
  readonly rounds: number;
}

export interface GrowthSample {
  readonly adapter: AdapterDescription | null;
  /** Milliseconds of each run, upload and readback included; a list for each network. */
  readonly times: readonly (readonly number[])[];
}

/** In every round each network runs once, in an order that turns, so that a drift of the machine meets all of them. */
export async function measureGrowth({ networks, plan, rounds }: GrowthRequest): Promise<GrowthSample> {
  const opened: { model: Awaited<ReturnType<typeof load>>; inputs: Record<string, Float32Array>; times: number[] }[] =
    [];
  try {
    for (const [i, { id, batch }] of networks.entries()) {
      await reportProgress(`preparing ${id}, batch ${batch} (${i + 1} of ${networks.length}) …`);
      const graph = buildArchitecture(id, { batch });
      const model = await load(graph, { device: 'webgpu', tuning: 'off', plan });
      opened.push({ model, inputs: seededInputs(graph), times: [] });
      await model.tune({ budgetMs: 0, cache: null });
      await model.run(opened[i]!.inputs);
    }
    for (let round = 0; round < rounds; round++) {
      await reportProgress(`round ${round + 1} of ${rounds} …`);
      for (let i = 0; i < opened.length; i++) {
        const { model, inputs, times } = opened[(i + round) % opened.length]!;
        const start = performance.now();
        await model.run(inputs);
        times.push(performance.now() - start);
      }
    }
    return { adapter: opened[0]?.model.adapter ?? null, times: opened.map(({ times }) => times) };
  } finally {
    for (const { model } of opened) model.dispose();
  }
}
