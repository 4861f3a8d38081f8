import { buildArchitecture } from '../../src/architectures/index.ts';
import type { Conv2d, Node } from '../../src/graph/ops.ts';
import { arithmeticOf, type ResolvedChoice, storageOf } from '../../src/options.ts';
import { createPlan } from '../../src/planner/create-plan.ts';
import type { Dispatch, PipelineSpec, Plan, Precision } from '../../src/planner/plan.ts';
import { type PlanKind, prepareFor } from '../../src/planner/prepare.ts';
import { kernelsFor } from '../../src/planner/select.ts';
import { startingPreferences } from '../../src/tuning/defaults.ts';
import type { CompiledFor } from './gpus.ts';

/** A pipeline of some default plan. */
export interface Shader {
  readonly label: string;
  /** What it computes, whatever kernel does: rows of the table. */
  readonly layer: string;
  readonly kernel: string;
  readonly precision: Precision;
  readonly spec: PipelineSpec;
}

export interface ShaderOptions {
  readonly models: readonly string[];
  readonly precisions: readonly ResolvedChoice['precision'][];
  readonly plans: readonly PlanKind[];
}

/** The pipelines of the plans with which a GPU starts, each once. */
export async function shadersOf({ adapter }: CompiledFor, options: ShaderOptions): Promise<Shader[]> {
  const found = new Map<string, Shader>();
  for (const { plan, layers } of await plansOf(adapter, options)) {
    for (const [i, { kernel, pipeline }] of plan.dispatches.entries()) {
      const spec = plan.pipelines[pipeline]!;
      const key = JSON.stringify(spec);
      const { precision } = plan;
      if (!found.has(key)) found.set(key, { label: `L${found.size}`, layer: layers[i]!, kernel, precision, spec });
    }
  }
  return [...found.values()];
}

async function plansOf(
  adapter: CompiledFor['adapter'],
  { models, precisions, plans }: ShaderOptions,
): Promise<{ readonly plan: Plan; readonly layers: readonly string[] }[]> {
  const made = [];
  for (const model of models) {
    for (const kind of plans) {
      const graph = await prepareFor(buildArchitecture(model), kind);
      for (const precision of precisions) {
        if (precision === 'float16' && !adapter.features.includes('shader-f16')) continue;
        const preferences = await startingPreferences(adapter, arithmeticOf(precision).arithmetic);
        const kernels = await kernelsFor(graph, preferences);
        const plan = createPlan(graph, kernels, { precision: storageOf(precision, adapter.features), preferences });
        made.push({ plan, layers: plan.dispatches.map((dispatch, i) => layerOf(graph.nodes[i]!, dispatch)) });
      }
    }
  }
  return made;
}

function layerOf(node: Node, { kernel }: Dispatch): string {
  const half = 'half/';
  if (kernel.startsWith(half)) return `${layerBy(node, kernel.slice(half.length))}, in halves`;
  return layerBy(node, kernel);
}

function layerBy(node: Node, kernel: string): string {
  if (node.op === 'fused') return kernel.split('/')[0]!;
  if (node.op !== 'conv2d') return node.op;
  const { kernel: window, stride, groups } = node as Conv2d;
  const kind = groups > 1 ? 'depthwise' : Math.max(...window) > 1 ? kernel.split('/')[0]! : 'pointwise';
  if (kernel.startsWith('matrix-vector')) return 'matrix-vector';
  return `${kind}${kind === 'pointwise' ? '' : ` ${window.join(' × ')}`}${stride[0] > 1 ? `, stride ${stride[0]}` : ''}`;
}
