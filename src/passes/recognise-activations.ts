import type { Activation, Affine, Clip, Multiply, Node } from '../graph/ops.ts';
import { type Links, type Pass, rewriteAll } from './pass.ts';

/**
 * Activations that exporters spell out become activation nodes again: relu and relu6 as minima and maxima,
 * hard-sigmoid as relu6(x + 3) / 6 or as x / 6 + 1/2 cut at 0 and 1, hard-swish as x times that, with the division
 * before or after the product.
 */
export const recogniseActivations: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    switch (node.op) {
      case 'clip':
        return hardSigmoidCutAtOne(node, links) ?? mergeClips(node, node, links) ?? nameClip(node);
      case 'activation': {
        const range = rangeOf(node);
        return range && mergeClips(node, range, links);
      }
      case 'affine':
        return hardSigmoid(node, links) ?? hardSwishDividedLast(node, links);
      case 'multiply':
        return hardSwish(node, links);
      default:
        return null;
    }
  });

const activation = (node: Node, input: string, kind: Activation): Node => ({
  op: 'activation',
  name: node.name,
  inputs: [input],
  output: node.output,
  activation: kind,
});

interface Range {
  readonly min: number;
  readonly max: number;
}

/** clip(clip(x)) is one clip, where relu and relu6 are clips too. */
function mergeClips(node: Node, outer: Range, links: Links): Map<Node, readonly Node[]> | null {
  const before = links.soleProducer(node.inputs[0]!);
  const inner = before && rangeOf(before);
  if (!before || !inner) return null;
  const cut = (value: number) => Math.min(Math.max(value, outer.min), outer.max);
  const { name, output } = node;
  const merged: Clip = { op: 'clip', name, inputs: before.inputs, output, min: cut(inner.min), max: cut(inner.max) };
  return new Map<Node, readonly Node[]>([
    [before, []],
    [node, [merged]],
  ]);
}

/** A clip to [0, ∞) is relu, to [0, 6] relu6. */
function nameClip(node: Clip): Map<Node, readonly Node[]> | null {
  if (node.min !== 0) return null;
  if (node.max >= 3.4e38) return new Map([[node, [activation(node, node.inputs[0]!, 'relu')]]]);
  if (node.max === 6) return new Map([[node, [activation(node, node.inputs[0]!, 'relu6')]]]);
  return null;
}

function rangeOf(node: Node): Range | null {
  if (node.op === 'clip') return node;
  if (node.op === 'activation' && node.activation === 'relu') return { min: 0, max: Number.POSITIVE_INFINITY };
  if (node.op === 'activation' && node.activation === 'relu6') return { min: 0, max: 6 };
  return null;
}

/** Whether a constant is one number for all channels, and which. */
function uniform(values: Float32Array): number | null {
  return values.every((value) => value === values[0]) ? (values[0] ?? null) : null;
}

const isSixth = (value: number | null) => value !== null && Math.abs(value - 1 / 6) < 1e-6;

/** x · scale + shift with the same two numbers for every channel. */
function isAffine(node: Node | undefined, scale: (value: number | null) => boolean, shift: number): node is Affine {
  return node?.op === 'affine' && scale(uniform(node.scale)) && uniform(node.shift) === shift;
}

/** relu6(x + 3): the two nodes and x. Both must be read by nobody else. */
function shiftedRelu6(tensor: string, links: Links): { nodes: Node[]; x: string } | null {
  const relu6 = links.soleProducer(tensor);
  if (relu6?.op !== 'activation' || relu6.activation !== 'relu6') return null;
  const plus3 = links.soleProducer(relu6.inputs[0]!);
  if (!isAffine(plus3, (value) => value === 1, 3)) return null;
  return { nodes: [plus3, relu6], x: plus3.inputs[0]! };
}

/** relu6(x + 3) · (1/6) */
function hardSigmoid(node: Affine, links: Links): Map<Node, readonly Node[]> | null {
  const chain = isAffine(node, isSixth, 0) ? shiftedRelu6(node.inputs[0]!, links) : null;
  return chain && replaceChain(chain.nodes, node, activation(node, chain.x, 'hard-sigmoid'));
}

/** x · (1/6) + 1/2, cut at 0 and 1. */
function hardSigmoidCutAtOne(node: Clip, links: Links): Map<Node, readonly Node[]> | null {
  const line = node.min === 0 && node.max === 1 ? links.soleProducer(node.inputs[0]!) : undefined;
  if (!isAffine(line, isSixth, 0.5)) return null;
  return replaceChain([line], node, activation(node, line.inputs[0]!, 'hard-sigmoid'));
}

/** (x · relu6(x + 3)) · (1/6) */
function hardSwishDividedLast(node: Affine, links: Links): Map<Node, readonly Node[]> | null {
  const product = isAffine(node, isSixth, 0) ? links.soleProducer(node.inputs[0]!) : undefined;
  if (product?.op !== 'multiply' || product.activation !== 'none') return null;
  for (const [x, gate] of pairs(product)) {
    const chain = shiftedRelu6(gate, links);
    if (chain?.x === x) return replaceChain([...chain.nodes, product], node, activation(node, x, 'hard-swish'));
  }
  return null;
}

/** x · hard-sigmoid(x), and (x / 6) · relu6(x + 3). */
function hardSwish(node: Multiply, links: Links): Map<Node, readonly Node[]> | null {
  if (node.activation !== 'none') return null;
  for (const [x, gate] of pairs(node)) {
    const sigmoid = links.soleProducer(gate);
    if (sigmoid?.op === 'activation' && sigmoid.activation === 'hard-sigmoid' && sigmoid.inputs[0] === x) {
      return replaceChain([sigmoid], node, activation(node, x, 'hard-swish'));
    }
    const sixth = links.soleProducer(x);
    const chain = isAffine(sixth, isSixth, 0) ? shiftedRelu6(gate, links) : null;
    if (sixth && chain?.x === sixth.inputs[0]) {
      return replaceChain([...chain!.nodes, sixth], node, activation(node, chain!.x, 'hard-swish'));
    }
  }
  return null;
}

const pairs = ({ inputs: [a, b] }: Multiply) =>
  [
    [a!, b!],
    [b!, a!],
  ] as const;

function replaceChain(removed: readonly Node[], last: Node, by: Node): Map<Node, readonly Node[]> {
  return new Map<Node, readonly Node[]>([...removed.map((node) => [node, []] as const), [last, [by]]]);
}
