import { openGpu } from '../../src/device/gpu.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { seededUniform } from '../../src/graph/random.ts';
import { load } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { kernelsFor } from '../../src/planner/select.ts';
import { runGraph } from '../../src/reference/index.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { poison } from '../../src/scheduler/poison.ts';
import { preferencesOf, startingPreferences } from '../../src/tuning/defaults.ts';

export interface IntegersRun {
  /** Of each picture, the tensor of stored integers before the real numbers of each output. */
  readonly last: readonly (readonly Float32Array[])[];
  readonly kernels: readonly string[];
  readonly arenaBytes: number;
  readonly constantBytes: number;
}

/** In the browser: a quantised file's last tensors of integers on the GPU, whatever was in the arena. */
export async function lastIntegers({
  file,
  name,
  pictures,
}: {
  readonly file: Uint8Array;
  readonly name: string;
  readonly pictures: readonly Float32Array[];
}): Promise<IntegersRun> {
  const graph = endingInIntegers(integerGraph(await loadGraph({ name, bytes: file }, { quantisation: true })));
  const gpu = await openGpu();
  const preferences = await preferencesOf(gpu, graph, await startingPreferences(gpu.adapter));
  const kernels = await kernelsFor(graph, preferences);
  const plan = createPlan(graph, kernels, { precision: 'int8', preferences, limits: gpu.device.limits });
  const executor = await Executor.create(gpu, plan, packConstants(graph, plan, kernels));
  try {
    const last: Float32Array[][] = [];
    for (const [i, picture] of pictures.entries()) {
      poison(executor.resources, i % 2 === 1);
      const outputs = await executor.run(picture);
      last.push(graph.outputs.map(({ name: output }) => outputs[output]!));
    }
    return {
      last,
      kernels: plan.dispatches.map(({ kernel }) => kernel),
      arenaBytes: plan.arena.reduce((sum, bytes) => sum + bytes, 0),
      constantBytes: plan.constantBytes,
    };
  } finally {
    executor.dispose();
    gpu.dispose();
  }
}

/** The graph with the stored integers, from which its outputs' real numbers come, as its outputs. */
function endingInIntegers(graph: Graph): Graph {
  const producers = new Map(graph.nodes.map((node) => [node.output, node]));
  const outputs = graph.outputs.map(({ name, tensor }) => {
    let node = producers.get(tensor)!;
    while (node.op !== 'integer' || node.body.kind === 'dequantise' || node.body.kind === 'quantise') {
      node = producers.get(node.inputs[0]!)!;
    }
    return { name, tensor: node.output };
  });
  return { ...graph, outputs };
}

/** The same on the reference. */
export function lastOnReference(graph: Graph, picture: Float32Array): Float32Array[] {
  const cut = endingInIntegers(graph);
  const outputs = runGraph(cut, { [graph.inputs[0]!.name]: picture });
  return cut.outputs.map(({ name }) => outputs[name]!.data);
}

/** In the browser: a quantised file through all that a model does on the GPU. */
export async function atWork({ file }: { readonly file: Uint8Array }) {
  const model = await load(file, { device: 'webgpu', tuning: 'off' });
  try {
    const shape = model.inputs[0]!.shape;
    const random = seededUniform(3);
    const input = Float32Array.from({ length: shape[1]! * shape[2]! * shape[3]! }, () => 2 * random() - 1);
    const before = await model.run(input);
    const { layers, kernels, refused } = await model.tune({ budgetMs: 1500, cache: null });
    const after = await model.run(input);
    const same = Object.entries(before).every(([name, values]) =>
      values.every((value, i) => value === after[name]![i]),
    );
    const saved = await load(await model.save(), { device: 'webgpu', tuning: 'off' });
    const savedSame = Object.entries(await saved.run(input)).every(([name, values]) =>
      values.every((value, i) => value === before[name]![i]),
    );
    saved.dispose();
    const { layers: times } = await model.profile(input, { repeats: 1 });
    const report = await model.validate();
    return {
      precision: model.precision,
      same,
      savedSame,
      refused,
      kernels,
      failed: layers.flatMap(({ tried }) => tried).filter(({ ms }) => ms === null),
      tried: layers.flatMap(({ tried }) => tried.map(({ kernel }) => kernel)),
      timed: times.length,
      rows: report.layers,
      ok: report.ok,
    };
  } finally {
    model.dispose();
  }
}
