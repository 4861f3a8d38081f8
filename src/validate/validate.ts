import type { AdapterDescription, Gpu } from '../device/gpu.ts';
import type { Graph } from '../graph/graph.ts';
import { type Node, writtenBy } from '../graph/ops.ts';
import { createPlan, packConstants } from '../planner/create-plan.ts';
import type { Precision } from '../planner/plan.ts';
import { type KernelPreferences, kernelsFor } from '../planner/select.ts';
import { runGraphAsync, type Tensor } from '../reference/index.ts';
import { Executor } from '../scheduler/executor.ts';
import { poison } from '../scheduler/poison.ts';
import { nextTask } from '../scheduler/slices.ts';
import { fusedWithBounds, runWithBound, type Storage, type StorageOptions } from './bounds.ts';
import { type BoundCheck, checkBounds, type LayerReport } from './check-bounds.ts';
import { judgeOutputs, type OutputReport } from './compare.ts';
import { validateStages } from './stages.ts';

export interface ValidationReport {
  readonly model: string;
  readonly adapter: AdapterDescription;
  readonly plan: string;
  readonly precision: Precision;
  /** Every layer within its bound and every output close to the reference of the graph as loaded. */
  readonly ok: boolean;
  /**
   * Each kernel of the plan, fed with the GPU's own inputs, against the reference; behind them those that `classify` runs
   * beside the plan (`validateStages`), where the graph takes a picture.
   */
  readonly layers: readonly LayerReport[];
  /**
   * The network end to end: the plan that is used against the graph as loaded; an output of one probability p as the
   * distribution p, 1 − p.
   */
  readonly outputs: readonly OutputReport[];
}

export interface ValidateOptions {
  readonly gpu: Gpu;
  /** The graph as loaded. */
  readonly graph: Graph;
  /** The graph that the plan runs. */
  readonly prepared: Graph;
  readonly plan: string;
  readonly precision?: Precision | undefined;
  /** As of the plan that is used, so that the same kernels are checked. */
  readonly preferences?: KernelPreferences | undefined;
  readonly inputs: Readonly<Record<string, Float32Array>>;
  readonly signal?: AbortSignal | undefined;
  readonly onLayer?: ((done: number, total: number, name: string) => void) | undefined;
}

/**
 * Checks the GPU against the CPU reference in two ways. Layer by layer: a plan without aliasing runs the prepared
 * graph on an arena full of NaN, and each node's output is compared with the reference of that node on the GPU's own
 * inputs, within a derived bound. End to end: the plan that is used, against the reference of the graph as loaded,
 * so that a wrong pass shows.
 */
export async function validate(options: ValidateOptions): Promise<ValidationReport> {
  const { gpu, graph, prepared, inputs, signal, precision = 'float32' } = options;
  const total = prepared.nodes.length + graph.nodes.length;
  let done = 0;
  const layers = await withExecutor(options, false, async (executor) => {
    const reports: LayerReport[] = [];
    const storedAs = (stored: Precision): Storage => (stored === 'float32' ? 'f32' : 'f16');
    const kernels = new Map(executor.plan.dispatches.map(({ node, kernel }) => [node, kernel]));
    const storageOf = ({ name, inputs: [first], output }: Node): StorageOptions => ({
      weights: kernels.get(name)!.startsWith('byte/') ? 'bytes' : storedAs(precision),
      output: storedAs(executor.plan.tensors[output]!.precision),
      halves: kernels.get(name)!.startsWith('half/'),
      input: storedAs(executor.plan.tensors[first!]!.precision),
    });
    // Bytes are never NaN: what stays as the arena was is not the same after another filling.
    const before = new Map<string, Float32Array>();
    const stored = Object.entries(executor.plan.tensors).filter(([, { precision }]) => precision === 'int8');
    if (stored.length > 0) {
      poison(executor.resources, true);
      await executor.run(inputs, { signal });
      for (const [name] of stored) before.set(name, await executor.readTensor(name));
    }
    poison(executor.resources);
    await executor.run(inputs, { signal });
    const tensors = new Map<string, Tensor>();
    for (const { name, shape } of prepared.inputs) tensors.set(name, { shape, data: await executor.readTensor(name) });
    for (const [i, node] of prepared.nodes.entries()) {
      signal?.throwIfAborted();
      const operands = node.inputs.map((name) => tensors.get(name)!);
      const storage = storageOf(node);
      const { kernel } = executor.plan.dispatches[i]!;
      // A fused kernel that writes several tensors is one row: that of the worst.
      const found =
        node.op === 'fused'
          ? fusedWithBounds(node, operands, storage)
          : new Map([[node.output, runWithBound(node, operands, storage)]]);
      const checks: BoundCheck[] = [];
      for (const name of writtenBy(node)) {
        const { output, bound, probable } = found.get(name)!;
        const actual = await executor.readTensor(name);
        tensors.set(name, { shape: output.shape, data: actual });
        const check = checkBounds(actual, output.data, bound, probable);
        const unwritten = before.get(name)?.reduce((count, q, at) => count + (q === actual[at] ? 0 : 1), 0) ?? 0;
        checks.push(unwritten > 0 ? { ...check, unwritten, ok: false } : check);
      }
      const worst = checks.find(({ ok }) => !ok) ?? checks[0]!;
      reports.push({ name: node.name, op: node.op, kernel, shape: found.get(node.output)!.output.shape, ...worst });
      options.onLayer?.(++done, total, node.name);
      // A page draws and reacts between two layers.
      await nextTask();
    }
    return [...reports, ...(await validateStages(executor, graph, prepared, storageOf, signal))];
  });
  const results = await withExecutor(options, true, (executor) => {
    poison(executor.resources);
    return executor.run(inputs, { signal });
  });
  const expected = await runGraphAsync(graph, inputs, {
    ...(signal ? { signal } : {}),
    onNode: (node) => options.onLayer?.(++done, total, node.name),
  });
  const values = Object.fromEntries(Object.entries(expected).map(([name, { data }]) => [name, data]));
  const outputs = judgeOutputs(graph, precision, results, values, options.preferences?.arithmetic);
  return {
    model: graph.name,
    adapter: gpu.adapter,
    plan: options.plan,
    precision,
    ok: layers.every(({ ok }) => ok) && outputs.every(({ ok }) => ok),
    layers,
    outputs,
  };
}

async function withExecutor<T>(
  { gpu, prepared, signal, preferences, precision = 'float32' }: ValidateOptions,
  aliasing: boolean,
  use: (executor: Executor) => Promise<T>,
): Promise<T> {
  const { limits } = gpu.device;
  const kernels = await kernelsFor(prepared, preferences);
  const plan = createPlan(prepared, kernels, { precision, aliasing, limits, preferences });
  const executor = await Executor.create(gpu, plan, packConstants(prepared, plan, kernels), { signal });
  try {
    return await use(executor);
  } finally {
    executor.dispose();
  }
}
