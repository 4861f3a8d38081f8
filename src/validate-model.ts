import type { Graph } from './graph/graph.ts';
import { MOST_INVOCATIONS } from './kernels/kernel.ts';
import { type PlanKind, prepareFor, withBlocks } from './planner/prepare.ts';
import type { TunedExecutor } from './tuning/tuned-executor.ts';
import { type ValidateOptions, type ValidationReport, validate } from './validate/validate.ts';

/**
 * As `Model.validate`, of `graph` as it was loaded; `own` is the kind of plan that runs. Where that is `unfused` because the device's
 * workgroups are too small for blocks, so is what is validated, whatever `plan` says: the report has the kind.
 */
export async function validateModel(
  tuned: TunedExecutor,
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array>>,
  own: PlanKind,
  {
    plan: asked,
    signal,
    onLayer,
  }: Pick<ValidateOptions, 'signal' | 'onLayer'> & { readonly plan?: PlanKind | undefined },
): Promise<ValidationReport> {
  const small = tuned.gpu.device.limits.maxComputeInvocationsPerWorkgroup < MOST_INVOCATIONS;
  const plan = asked && small ? 'unfused' : asked;
  const prepared = await (plan ? prepareFor(graph, plan) : withBlocks(await tuned.whole(), tuned.preferences));
  return tuned.hold(({ gpu }) =>
    validate({
      ...{ gpu, graph, prepared, inputs, signal, onLayer },
      plan: plan ?? (tuned.preferences.fused?.length ? 'auto' : own),
      precision: tuned.precision,
      preferences: tuned.preferences,
    }),
  );
}
