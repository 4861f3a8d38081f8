import { type LayerCost, layerCosts, networkCost } from './graph/cost.ts';
import type { Graph } from './graph/graph.ts';
import { createPlan, type PlanSummary, summarizePlan } from './planner/create-plan.ts';
import { type PlanKind, prepare } from './prepare.ts';

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

export function inspect(graph: Graph): Inspection {
  const { parameters, macs, macsWithNormalConvolutions } = networkCost(graph);
  return {
    model: graph.name,
    parameters,
    macs,
    macsWithNormalConvolutions,
    layers: layerCosts(graph),
    ...inspectPlan(graph, 'unfused'),
    fused: inspectPlan(graph, 'fused'),
  };
}

function inspectPlan(graph: Graph, kind: PlanKind): PlanInspection {
  const prepared = prepare(graph, kind);
  return { ...summarizePlan(prepared, createPlan(prepared)), submits: 1 };
}
