/** Tuning where something goes wrong. */

import { load, seededInputs, type TuningCache, type TuningRecord } from '../../src/index.ts';
import { convPointwise } from '../../src/kernels/conv-pointwise.ts';
import { coreKernels } from '../../src/kernels/index.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { tuneEvenly } from './even-clock.ts';
import { countMemory } from './memory-in-page.ts';
import { smallNetwork } from './small-network.ts';

const sabotages: Readonly<Record<string, Kernel['program']>> = {
  /** Wrong where a sum is negative. */
  negative: (node, shapes) => {
    const program = convPointwise.program(node, shapes);
    return { ...program, shape: { ...program.shape, low: 0 } };
  },
  /** The same in a network only. */
  network: (node, shapes) => {
    const program = convPointwise.program(node, shapes);
    return node.inputs[0] === 'x0' ? program : { ...program, shape: { ...program.shape, low: 0 } };
  },
  /** Not WGSL. */
  syntax: (node, shapes) => {
    const program = convPointwise.program(node, shapes);
    return { ...program, source: `${program.source}\nnothing` };
  },
};

/** Has the tuner find one more kernel while `work` runs. */
async function sabotaged<T>(how: string, work: (name: string) => Promise<T>): Promise<T> {
  const name = `sabotaged-${how}`;
  const registry = coreKernels.variants as Kernel[];
  registry.push({ ...convPointwise, name, program: sabotages[how]! });
  try {
    return await work(name);
  } finally {
    registry.pop();
  }
}

function memoryCache(initial: TuningRecord | null = null) {
  let record = initial;
  const cache: TuningCache = {
    get: async () => structuredClone(record),
    set: async (_, value) => {
      record = structuredClone(value) as TuningRecord;
    },
  };
  return { cache, record: () => record };
}

const budgetMs = 150_000;

/** What a tuning says of a sabotaged kernel; whether it is used, and how the outputs differ. */
export function tuneSabotaged({ how }: { how: string }) {
  return sabotaged(how, async (name) => {
    const model = await load(smallNetwork(), { plan: 'unfused', device: 'webgpu', tuning: 'off' });
    const inputs = seededInputs(model.graph);
    const before = await model.run(inputs);
    const { layers, kernels, complete } = await tuneEvenly(model, { budgetMs, cache: null });
    const after = await model.run(inputs);
    const differences = Object.entries(before).map(([output, values]) => compareOutputs(after[output]!, values).nmse);
    model.dispose();
    const reasons = layers
      .flatMap(({ tried }) => tried.filter(({ kernel }) => kernel === name))
      .map((one) => one.reason);
    return { reasons, used: kernels.includes(name), complete, differences };
  });
}

/** A cache claims that a kernel is the fastest which gives the network other outputs. Two visits. */
export function tunePoisoned(_: object) {
  return sabotaged('network', async (name) => {
    const first = memoryCache();
    const model = await load(smallNetwork(), { plan: 'unfused', device: 'webgpu', tuning: 'off' });
    await tuneEvenly(model, { budgetMs, cache: first.cache });
    model.dispose();
    const { layers, ...rest } = first.record()!;
    const claimed = Object.entries(layers).map(([key, layer]) => {
      return [key, layer.tried.includes(name) ? { ...layer, kernel: name } : layer] as const;
    });
    const poisoned = memoryCache({ ...rest, layers: Object.fromEntries(claimed) });
    const visits = [];
    for (let visit = 0; visit < 2; visit++) {
      const again = await load(smallNetwork(), { plan: 'unfused', device: 'webgpu', tuning: 'off' });
      const { refused, kernels } = await tuneEvenly(again, { budgetMs, cache: poisoned.cache });
      visits.push({ refused: refused.map(({ kernel }) => kernel === name), used: kernels.includes(name) });
      again.dispose();
    }
    const kept = Object.values(poisoned.record()!.layers);
    return {
      claimed: claimed.filter(([, { kernel }]) => kernel === name).length,
      visits,
      chosen: kept.filter(({ kernel }) => kernel === name).length,
      refused: kept.filter(({ refused }) => refused.includes(name)).length,
    };
  });
}

/** Visits that each have time for little; kernels of each layer that were tried twice. */
export async function tuneInVisits({ budgetMs }: { budgetMs: number }) {
  const { cache } = memoryCache();
  const tried = new Map<string, string[]>();
  const repeated: string[] = [];
  const visits = [];
  for (let visit = 0; visit < 200; visit++) {
    const model = await load(smallNetwork(8, false), { plan: 'unfused', device: 'webgpu', tuning: 'off' });
    const { layers, complete, remembered } = await tuneEvenly(model, { budgetMs, cache });
    model.dispose();
    for (const layer of layers) {
      const before = tried.get(layer.key) ?? [];
      const names = layer.tried.map(({ kernel }) => kernel);
      // The fastest so far stands against each.
      repeated.push(...names.slice(1).filter((name) => before.includes(name)));
      tried.set(layer.key, [...before, ...names]);
    }
    visits.push({ complete, remembered, learned: layers.flatMap((layer) => layer.tried).length });
    if (complete) break;
  }
  return { visits, repeated, layers: [...tried.keys()] };
}

/** How many layers are remembered of networks that are tuned one after another with one cache. */
export async function tuneSeveral({ widths }: { widths: readonly number[] }) {
  const { cache, record } = memoryCache();
  const remembered = [];
  for (const width of widths) {
    const model = await load(smallNetwork(width, false), { plan: 'unfused', device: 'webgpu', tuning: 'off' });
    const report = await tuneEvenly(model, { budgetMs, cache });
    remembered.push({ remembered: report.remembered, measured: report.layers.length });
    model.dispose();
  }
  return { remembered, kept: Object.keys(record()!.layers).length };
}

/** Ends a tuning as soon as so many buffers were made: what is held then beyond the model's own, and after disposal. */
export async function endTuning({ buffers, dispose }: { buffers: readonly number[]; dispose: boolean }) {
  const results = [];
  for (const most of buffers) {
    const adapter = await navigator.gpu.requestAdapter();
    const gpuDevice = await adapter!.requestDevice();
    const memory = countMemory(gpuDevice);
    const model = await load(smallNetwork(), { plan: 'unfused', device: 'webgpu', tuning: 'off', gpuDevice });
    await model.run(seededInputs(model.graph));
    const controller = new AbortController();
    let made = 0;
    memory.onCreate = () => {
      if (++made !== most) return;
      if (dispose) model.dispose();
      else controller.abort();
    };
    const outcome = await model.tune({ budgetMs, cache: null, signal: controller.signal }).then(
      () => 'done',
      (error) => error.name as string,
    );
    memory.onCreate = () => {};
    if (!dispose) await model.run(seededInputs(model.graph));
    model.dispose();
    await gpuDevice.queue.onSubmittedWorkDone();
    results.push({ outcome, held: memory.bytes() });
    gpuDevice.destroy();
  }
  return results;
}

/** Which kernels a half-precision plan's trials ran, and whether any other took their place. */
export async function tuneHalves(_: object) {
  const model = await load(smallNetwork(), {
    plan: 'unfused',
    device: 'webgpu',
    tuning: 'off',
    precision: 'float16-storage',
  });
  const { layers, complete } = await tuneEvenly(model, { budgetMs, cache: null });
  const runs = model.plan.dispatches.map(({ kernel }) => kernel);
  model.dispose();
  const tried = layers.flatMap((layer) => layer.tried);
  return {
    complete,
    refused: tried.filter(({ ms }) => ms === null),
    tried: [...new Set(tried.map(({ kernel }) => kernel))],
    ops: [...new Set(layers.map(({ key }) => JSON.parse(key)[0].op as string))],
    chosen: layers.map(({ chosen }) => chosen),
    runs,
  };
}
