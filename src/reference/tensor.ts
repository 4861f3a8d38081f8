import { UsageError } from '../errors.ts';
import type { Node, Shape } from '../graph/ops.ts';
import { inferShapes, sizeOf } from '../graph/shapes.ts';

/** Dense NHWC float32: `shape[0] · shape[1] · shape[2] · shape[3]` values, channels fastest, none padded. */
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Counts multiplications of a weight with an input value, each where it happens. */
export interface Counter {
  multiplications: number;
}

/**
 * The shape of the node's output for these inputs. Throws `GraphError` where shapes, weights or attributes do not fit
 * the node, and `UsageError` where a tensor's data does not have the length of its shape.
 */
export function checkedShape(node: Node, inputs: readonly Tensor[]): Shape {
  inputs.forEach(({ shape, data }, i) => {
    if (data.length !== sizeOf(shape)) {
      throw new UsageError(
        `node "${node.name}" (${node.op}): input ${i} has ${data.length} values, expected ${sizeOf(shape)} for [${shape}]`,
      );
    }
  });
  // Several inputs may be one tensor, under one name.
  const shapes = new Map(inputs.map(({ shape }, i) => [node.inputs[i] ?? `input ${i}`, shape]));
  const graph = {
    name: 'reference',
    inputs: [...shapes].map(([name, shape]) => ({ name, shape })),
    outputs: [],
    nodes: [{ ...node, inputs: [...inputs.keys()].map((i) => node.inputs[i] ?? `input ${i}`) }],
  };
  return inferShapes(graph).get(node.output)!;
}
