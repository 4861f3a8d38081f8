import type { Graph } from './graph/graph.ts';
import { type PlanKind, prepareFor, withBlocks } from './planner/prepare.ts';
import type { TunedExecutor } from './tuning/tuned-executor.ts';
import { type ValidateOptions, type ValidationReport, validate } from './validate/validate.ts';

/** As `Model.validate`, of `graph` as it was loaded; `own` is the kind of plan that runs. */
export async function validateModel(
  tuned: TunedExecutor,
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array>>,
  own: PlanKind,
  { plan, signal, onLayer }: Pick<ValidateOptions, 'signal' | 'onLayer'> & { readonly plan?: PlanKind | undefined },
): Promise<ValidationReport> {
  const prepared = await (plan ? prepareFor(graph, plan) : withBlocks(await tuned.whole(), tuned.preferences));
  return tuned.hold(({ gpu }) =>
    validate({
      ...{ gpu, graph, prepared, inputs, signal, onLayer },
      plan: plan ?? (tuned.preferences.fused ? 'auto' : own),
      precision: tuned.precision,
      preferences: tuned.preferences,
    }),
  );
}
