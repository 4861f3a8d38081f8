/**
 * The CPU reference: every operation in plain loops, straight from its definition, summed in float64 and rounded to
 * float32 once. It is the oracle that the GPU is checked against, and the way out where there is no GPU; it is not
 * meant to be a fast CPU engine.
 */
import { UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { type Fused, type Node, writtenBy } from '../graph/ops.ts';
import { inferShapes, sizeOf } from '../graph/shapes.ts';
import { activation } from './activation.ts';
import { conv2d } from './conv.ts';
import { convTranspose2d } from './conv-transpose.ts';
import { add, affine, batchNorm, clip, multiply, prelu } from './elementwise.ts';
import { fullyConnected } from './fully-connected.ts';
import { runInteger } from './integers.ts';
import { globalAveragePool, pool, sumTiles } from './pool.ts';
import { resize } from './resize.ts';
import { concat, pad, reshape, transpose } from './shape.ts';
import { l2Normalize, softmax } from './softmax.ts';
import { type Counter, checkedShape, type Tensor } from './tensor.ts';

export type { Counter, Tensor } from './tensor.ts';

/**
 * One operation. `inputs` are in the order of `node.inputs`. Throws `GraphError` where the inputs do not fit the node,
 * `UsageError` where a tensor's data does not have the length of its shape.
 */
export function runNode(
  node: Node,
  inputs: readonly Tensor[],
  { counter }: { readonly counter?: Counter } = {},
): Tensor {
  const shape = checkedShape(node, inputs);
  const input = inputs[0]!;
  switch (node.op) {
    case 'conv2d':
      return conv2d(node, inputs, shape, counter);
    case 'conv-transpose2d':
      return convTranspose2d(node, input, shape, counter);
    case 'fully-connected':
      return fullyConnected(node, input, shape, counter);
    case 'pool':
      return pool(node, input, shape);
    case 'global-average-pool':
      return globalAveragePool(input, shape);
    case 'softmax':
      return softmax(input);
    case 'l2-normalize':
      return l2Normalize(node, input);
    case 'add':
      return add(node, [input, inputs[1]!]);
    case 'multiply':
      return multiply(node, [input, inputs[1]!]);
    case 'affine':
      return affine(node, input);
    case 'prelu':
      return prelu(node, input);
    case 'batch-norm':
      return batchNorm(node, input);
    case 'clip':
      return clip(node, input);
    case 'activation':
      return activation(node, input);
    case 'resize':
      return resize(node, input, shape);
    case 'reshape':
      return reshape(input, shape);
    case 'transpose':
      return transpose(node, input, shape);
    case 'pad':
      return pad(node, input, shape);
    case 'concat':
      return concat(node, inputs, shape);
    case 'integer':
      return runInteger(node, inputs, shape);
    case 'sum-tiles':
      return sumTiles(node, input, shape);
    case 'fused':
      return runParts(node, inputs, counter).get(node.output)!;
  }
}

/** Everything that the parts of a fused node write, by name. */
function runParts(node: Fused, inputs: readonly Tensor[], counter: Counter | undefined): Map<string, Tensor> {
  const tensors = new Map(node.inputs.map((name, i) => [name, inputs[i]!]));
  for (const part of node.parts) {
    const operands = part.inputs.map((name) => tensors.get(name)!);
    tensors.set(part.output, runNode(part, operands, counter ? { counter } : {}));
  }
  return tensors;
}

export interface RunOptions {
  readonly counter?: Counter;
  /** Looked at before each node: an abort throws its reason. */
  readonly signal?: AbortSignal;
  /** Called after each node; the tensor must not be changed. */
  readonly onNode?: (node: Node, output: Tensor, index: number) => void;
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
  const steps = execute(graph, inputs, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** As `runGraph`, letting the event loop turn after each node, so that a page stays usable. */
export async function runGraphAsync(
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array>>,
  options: RunOptions = {},
): Promise<Record<string, Tensor>> {
  const steps = execute(graph, inputs, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await nextTask();
  }
}

/** Runs one node between two yields. */
function* execute(
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array>>,
  { counter, signal, onNode }: RunOptions,
): Generator<void, Record<string, Tensor>> {
  inferShapes(graph);
  const tensors = namedInputs(graph, inputs);
  const lastUse = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    for (const name of writtenBy(node)) lastUse.set(name, i);
    for (const name of node.inputs) lastUse.set(name, i);
  });
  for (const { tensor } of graph.outputs) lastUse.set(tensor, Number.POSITIVE_INFINITY);

  for (const [i, node] of graph.nodes.entries()) {
    signal?.throwIfAborted();
    const operands = node.inputs.map((name) => tensors.get(name)!);
    if (node.op === 'fused' && node.also) {
      const parts = runParts(node, operands, counter);
      for (const name of writtenBy(node)) tensors.set(name, parts.get(name)!);
    } else tensors.set(node.output, runNode(node, operands, counter ? { counter } : {}));
    onNode?.(node, tensors.get(node.output)!, i);
    for (const name of [...node.inputs, ...writtenBy(node)]) if (lastUse.get(name) === i) tensors.delete(name);
    yield;
  }
  return Object.fromEntries(graph.outputs.map(({ name, tensor }) => [name, tensors.get(tensor)!]));
}

function namedInputs(graph: Graph, inputs: Readonly<Record<string, Float32Array>>): Map<string, Tensor> {
  const names = graph.inputs.map(({ name }) => name);
  for (const name of Object.keys(inputs)) {
    if (!names.includes(name)) {
      throw new UsageError(`${graph.name} has no input "${name}"; its inputs are: ${names.join(', ')}`);
    }
  }
  return new Map(
    graph.inputs.map(({ name, shape }) => {
      const data = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      if (!(data instanceof Float32Array)) {
        throw new UsageError(`${graph.name}: input "${name}" is missing: pass a Float32Array of [${shape}]`);
      }
      if (data.length !== sizeOf(shape)) {
        throw new UsageError(
          `${graph.name}: input "${name}" has ${data.length} values, expected ${sizeOf(shape)} for [${shape}]`,
        );
      }
      return [name, { shape, data }] as const;
    }),
  );
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
