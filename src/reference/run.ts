/** Runs nodes and networks by a table of operations. */
import { UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { Shape } from '../graph/ops.ts';
import { type Fused, type Node, writtenBy } from '../graph/ops.ts';
import { inferShapes, sizeOf } from '../graph/shapes.ts';
import { type Counter, checkedShape, type Tensor } from './tensor.ts';

type Operation<N> = (node: N, inputs: readonly Tensor[], shape: Shape, counter?: Counter) => Tensor;

/** By `op`; fused nodes need those of their parts. */
export type Operations = { readonly [N in Exclude<Node, Fused> as N['op']]?: Operation<N> };

/** One operation of the table. Throws as `runNode` of the whole reference does. */
export function runNodeWith(operations: Operations, node: Node, inputs: readonly Tensor[], counter?: Counter): Tensor {
  const shape = checkedShape(node, inputs);
  if (node.op === 'fused') return runParts(operations, node, inputs, counter).get(node.output)!;
  return (operations[node.op] as Operation<Node>)(node, inputs, shape, counter);
}

/** Everything that the parts of a fused node write, by name. */
function runParts(
  operations: Operations,
  node: Fused,
  inputs: readonly Tensor[],
  counter: Counter | undefined,
): Map<string, Tensor> {
  const tensors = new Map(node.inputs.map((name, i) => [name, inputs[i]!]));
  for (const part of node.parts) {
    const operands = part.inputs.map((name) => tensors.get(name)!);
    tensors.set(part.output, runNodeWith(operations, part, operands, counter));
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

/** The whole network. Throws as `runGraph` of the whole reference does. */
export function runGraphWith(
  operations: Operations,
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array>>,
  options: RunOptions = {},
): Record<string, Tensor> {
  const steps = execute(operations, graph, inputs, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Runs one node between two yields. */
export function* execute(
  operations: Operations,
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
      const parts = runParts(operations, node, operands, counter);
      for (const name of writtenBy(node)) tensors.set(name, parts.get(name)!);
    } else tensors.set(node.output, runNodeWith(operations, node, operands, counter));
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
