import type { Graph } from '../graph/graph.ts';
import { sizeOf } from '../graph/shapes.ts';
import { QUANTISE_FILE } from '../kernels/kernel.ts';
import { liveTensors } from './create-plan.ts';
import { peakBytes } from './memory.ts';
import { bytesPerElement, type Plan } from './plan.ts';

/** Sizes of a plan, in bytes unless said otherwise. */
export interface PlanSummary {
  readonly dispatches: number;
  readonly pipelines: number;
  readonly arenaBytes: number;
  /** The largest sum of tensors live at once: no arena can be smaller. */
  readonly peakBytes: number;
  readonly weightBytes: number;
  /**
   * For each dispatch each distinct tensor that it reads or writes, once, without padding lanes and weights. What makes the network's
   * first tensor of a picture is not counted: image-to-tensor, and the quantisation of an input of pictures, which that does in passing.
   */
  readonly activationBytes: number;
}

export function summarizePlan(graph: Graph, plan: Plan): PlanSummary {
  let activationBytes = 0;
  const pictures = new Set(graph.inputs.filter(() => graph.image).map(({ name }) => name));
  for (const { reads, writes, pipeline } of plan.dispatches) {
    if (plan.pipelines[pipeline]!.label === QUANTISE_FILE && pictures.has(reads[0]!)) continue;
    for (const name of new Set([...reads, ...writes])) {
      const { shape, precision } = plan.tensors[name]!;
      activationBytes += bytesPerElement(precision) * sizeOf(shape);
    }
  }
  return {
    dispatches: plan.dispatches.length,
    pipelines: plan.pipelines.length,
    arenaBytes: plan.arena.reduce((sum, bytes) => sum + bytes, 0),
    peakBytes: peakBytes(liveTensors(graph, (name) => plan.tensors[name]!.bytes)),
    weightBytes: plan.constants.reduce((sum, { bytes }) => sum + bytes, 0),
    activationBytes,
  };
}
