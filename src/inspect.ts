import { type LayerCost, layerCosts, networkCost } from './graph/cost.ts';
import type { Graph } from './graph/graph.ts';
import { graphFor, onIntegers } from './integers.ts';
import { arithmeticOf, type Precision, resolveChoice, storageOf } from './options.ts';
import { createPlan } from './planner/create-plan.ts';
import type { Precision as Storage } from './planner/plan.ts';
import { type PlanKind, prepareFor } from './planner/prepare.ts';
import { type KernelPreferences, kernelsFor, noPreferences } from './planner/select.ts';
import { type PlanSummary, summarizePlan } from './planner/summary.ts';

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
  /** What the file does not say and was assumed, a sentence each. */
  readonly assumptions: readonly string[];
  /** The plan with every fusion; a network on integers has none. */
  readonly fused: PlanInspection;
}

export interface InspectOptions {
  readonly precision?: Precision | undefined;
}

/**
 * With the kernels that run on every device. Throws `UsageError` for a precision that no plan has or that the file does not
 * have, `UnsupportedOpError` where int8 is asked for and not all of the network is computed on integers.
 */
export async function inspect(graph: Graph, options: InspectOptions = {}): Promise<Inspection> {
  const { precision, integers } = resolveChoice(options);
  const network = await graphFor(graph, integers);
  const features = ['shader-f16'];
  return inspectAs(network, storageOf(precision, features), { ...noPreferences, features, ...arithmeticOf(precision) });
}

/** With kernels as a device prefers them. */
export async function inspectAs(graph: Graph, precision: Storage, preferences: KernelPreferences): Promise<Inspection> {
  const { parameters, macs, macsWithNormalConvolutions } = networkCost(graph);
  return {
    model: graph.name,
    parameters,
    macs,
    macsWithNormalConvolutions,
    layers: layerCosts(graph),
    assumptions: graph.assumptions ?? [],
    ...(await inspectPlan(graph, 'unfused', precision, preferences)),
    fused: await inspectPlan(graph, onIntegers(graph) ? 'unfused' : 'fused', precision, preferences),
  };
}

async function inspectPlan(
  graph: Graph,
  kind: PlanKind,
  precision: Storage,
  preferences: KernelPreferences,
): Promise<PlanInspection> {
  const prepared = await prepareFor(graph, kind);
  const plan = createPlan(prepared, await kernelsFor(prepared, preferences), { precision, preferences });
  return { ...summarizePlan(prepared, plan), submits: 1 };
}
