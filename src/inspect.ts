import { type LayerCost, layerCosts, networkCost } from './graph/cost.ts';
import type { Graph } from './graph/graph.ts';
import { createPlan, type PlanSummary, summarizePlan } from './planner/create-plan.ts';
import { type KernelPreferences, noPreferences } from './planner/select.ts';
import { type PlanKind, prepareFor } from './prepare.ts';

/** A plan in numbers; bytes unless said otherwise. */
export interface PlanInspection extends PlanSummary {
  /** Submits of one inference. */
  readonly submits: number;
}

/** What a model costs and how it is run. The plan's numbers at the top are those of one kernel an operation. */
export interface Inspection extends PlanInspection {
  readonly model: string;
  readonly parameters: number;
  /** Multiplications of one inference. */
  readonly macs: number;
  /** The same network with normal convolutions in place of depthwise separable ones. */
  readonly macsWithNormalConvolutions: number;
  readonly layers: readonly LayerCost[];
  /** The plan with every fusion. */
  readonly fused: PlanInspection;
}

/** `preferences`: kernels as a device has them; without it those that run on every device. */
export async function inspect(graph: Graph, preferences?: KernelPreferences): Promise<Inspection> {
  const { parameters, macs, macsWithNormalConvolutions } = networkCost(graph);
  return {
    model: graph.name,
    parameters,
    macs,
    macsWithNormalConvolutions,
    layers: layerCosts(graph),
    ...(await inspectPlan(graph, 'unfused', preferences)),
    fused: await inspectPlan(graph, 'fused', preferences),
  };
}

async function inspectPlan(
  graph: Graph,
  kind: PlanKind,
  preferences: KernelPreferences = noPreferences,
): Promise<PlanInspection> {
  const prepared = await prepareFor(graph, kind);
  return { ...summarizePlan(prepared, createPlan(prepared, { preferences })), submits: 1 };
}
