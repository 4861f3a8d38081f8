/**
 * The CPU reference: every operation in plain loops, straight from its definition, summed in float64 and rounded to
 * float32 once. It is the oracle that the GPU is checked against, and the way out where there is no GPU; it is not
 * meant to be a fast CPU engine.
 */
import type { Graph } from '../graph/graph.ts';
import type { Node } from '../graph/ops.ts';
import { activation } from './activation.ts';
import { commonOperations } from './common.ts';
import { convTranspose2d } from './conv-transpose.ts';
import { affine, batchNorm, clip, prelu } from './elementwise.ts';
import { runInteger } from './integers.ts';
import { pool, sumTiles } from './pool.ts';
import { resize } from './resize.ts';
import { execute, type Operations, type RunOptions, runGraphWith, runNodeWith } from './run.ts';
import { concat, pad, reshape, transpose } from './shape.ts';
import { l2Normalize } from './softmax.ts';
import type { Counter, Tensor } from './tensor.ts';

export type { RunOptions } from './run.ts';
export type { Counter, Tensor } from './tensor.ts';

export const operations: Required<Operations> = {
  ...(commonOperations as Required<Operations>),
  'conv-transpose2d': (node, [input], shape, counter) => convTranspose2d(node, input!, shape, counter),
  pool: (node, [input], shape) => pool(node, input!, shape),
  'l2-normalize': (node, [input]) => l2Normalize(node, input!),
  affine: (node, [input]) => affine(node, input!),
  prelu: (node, [input]) => prelu(node, input!),
  'batch-norm': (node, [input]) => batchNorm(node, input!),
  clip: (node, [input]) => clip(node, input!),
  activation: (node, [input]) => activation(node, input!),
  resize: (node, [input], shape) => resize(node, input!, shape),
  reshape: (_node, [input], shape) => reshape(input!, shape),
  transpose: (node, [input], shape) => transpose(node, input!, shape),
  pad: (node, [input], shape) => pad(node, input!, shape),
  concat: (node, inputs, shape) => concat(node, inputs, shape),
  integer: (node, inputs, shape) => runInteger(node, inputs, shape),
  'sum-tiles': (node, [input], shape) => sumTiles(node, input!, shape),
};

/**
 * One operation. `inputs` are in the order of `node.inputs`. Throws `GraphError` where the inputs do not fit the node,
 * `UsageError` where a tensor's data does not have the length of its shape.
 */
export function runNode(
  node: Node,
  inputs: readonly Tensor[],
  { counter }: { readonly counter?: Counter } = {},
): Tensor {
  return runNodeWith(operations, node, inputs, counter);
}

/**
 * The whole network: values by input name in, tensors by output name out. A tensor is dropped after the last node that
 * reads it. Throws `UsageError` where an input is missing, unknown or of the wrong length, `GraphError` where the graph
 * is inconsistent, and the signal's reason on abort.
 */
export function runGraph(
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array>>,
  options: RunOptions = {},
): Record<string, Tensor> {
  return runGraphWith(operations, graph, inputs, options);
}

/** As `runGraph`, letting the event loop turn after each node, so that a page stays usable. */
export async function runGraphAsync(
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array>>,
  options: RunOptions = {},
): Promise<Record<string, Tensor>> {
  const steps = execute(operations, graph, inputs, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await nextTask();
  }
}

/** The outputs' values alone, by name; `onLayer` is told of each node. */
export async function valuesOf(
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array>>,
  {
    signal,
    onLayer,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly onLayer?: ((done: number, total: number) => void) | undefined;
  },
): Promise<Record<string, Float32Array>> {
  const outputs = await runGraphAsync(graph, inputs, {
    ...(signal ? { signal } : {}),
    onNode: (_node, _output, index) => onLayer?.(index + 1, graph.nodes.length),
  });
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
}

/** A message to oneself: a task of its own like a timer's, without a timer's least delay of 4 ms. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
