import type { Activation, Affine, Clip, Multiply, Node } from '../graph/ops.ts';
import { eitherFirst, inPlaceOf, type Links, type Pass, type Replacements, rewriteAll } from './pass.ts';
import { withScale } from './scale-weights.ts';

/**
 * Activations that exporters spell out become activation nodes again: relu and relu6 as minima and maxima,
 * hard-sigmoid as relu6(x + 3) / 6 or as x / 6 + 1/2 cut at 0 and 1, hard-swish as x times that, with the division
 * before or after the product. A sixth that was rounded to float16 or bfloat16 leaves its factor behind as a scale, so
 * that values stay.
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
function mergeClips(node: Node, outer: Range, links: Links): Replacements | null {
  const before = links.soleProducer(node.inputs[0]!);
  const inner = before && rangeOf(before);
  if (!before || !inner) return null;
  const cut = (value: number) => Math.min(Math.max(value, outer.min), outer.max);
  const { name, output } = node;
  const merged: Clip = { op: 'clip', name, inputs: before.inputs, output, min: cut(inner.min), max: cut(inner.max) };
  return inPlaceOf(node, [merged], [before]);
}

/** A clip to [0, ∞) is relu, to [0, 6] relu6. */
function nameClip(node: Clip): Replacements | null {
  if (node.min !== 0) return null;
  if (node.max >= 3.4e38) return inPlaceOf(node, [activation(node, node.inputs[0]!, 'relu')]);
  if (node.max === 6) return inPlaceOf(node, [activation(node, node.inputs[0]!, 'relu6')]);
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

/** Whether a factor is one but for the rounding of a constant to 8 bits of mantissa. */
const isNearOne = (factor: number) => Math.abs(factor - 1) < 2 ** -8;

/** The scale of x · scale + shift, where it is one number for every channel, and so is the shift given. */
function scaleOf(node: Node | undefined, shift: number): number | null {
  return node?.op === 'affine' && uniform(node.shift) === shift ? uniform(node.scale) : null;
}

/** A tensor as a number times another: peels off a uniform scale that nobody else reads. */
function unscale(tensor: string, links: Links): { factor: number; tensor: string; nodes: Node[] } {
  const node = links.soleProducer(tensor);
  const factor = scaleOf(node, 0);
  return node && factor !== null
    ? { factor, tensor: node.inputs[0]!, nodes: [node] }
    : { factor: 1, tensor, nodes: [] };
}

/** relu6(x + 3): the two nodes and x. Both must be read by nobody else. */
function shiftedRelu6(tensor: string, links: Links): { nodes: Node[]; x: string } | null {
  const relu6 = links.soleProducer(tensor);
  if (relu6?.op !== 'activation' || relu6.activation !== 'relu6') return null;
  const plus3 = links.soleProducer(relu6.inputs[0]!);
  if (!plus3 || scaleOf(plus3, 3) !== 1) return null;
  return { nodes: [plus3, relu6], x: plus3.inputs[0]! };
}

/** relu6(x + 3) · (1/6) */
function hardSigmoid(node: Affine, links: Links): Replacements | null {
  const factor = 6 * (scaleOf(node, 0) ?? 0);
  const chain = isNearOne(factor) ? shiftedRelu6(node.inputs[0]!, links) : null;
  return chain && replaceChain(chain.nodes, node, chain.x, 'hard-sigmoid', factor);
}

/** x · (1/6) + 1/2, cut at 0 and 1. */
function hardSigmoidCutAtOne(node: Clip, links: Links): Replacements | null {
  const line = node.min === 0 && node.max === 1 ? links.soleProducer(node.inputs[0]!) : undefined;
  // Rounding here moves the corners, so only float32's is taken for none.
  if (!line || Math.abs(6 * (scaleOf(line, 0.5) ?? 0) - 1) > 1e-6) return null;
  return replaceChain([line], node, line.inputs[0]!, 'hard-sigmoid');
}

/** (x · relu6(x + 3)) · (1/6) */
function hardSwishDividedLast(node: Affine, links: Links): Replacements | null {
  const factor = 6 * (scaleOf(node, 0) ?? 0);
  const product = isNearOne(factor) ? links.soleProducer(node.inputs[0]!) : undefined;
  if (product?.op !== 'multiply' || product.activation !== 'none') return null;
  for (const [x, gate] of eitherFirst(product)) {
    const chain = shiftedRelu6(gate, links);
    if (chain?.x === x) return replaceChain([...chain.nodes, product], node, x, 'hard-swish', factor);
  }
  return null;
}

/** x · hard-sigmoid(x), and (x / 6) · relu6(x + 3), and either with a factor of about one. */
function hardSwish(node: Multiply, links: Links): Replacements | null {
  if (node.activation !== 'none') return null;
  for (const [a, b] of eitherFirst(node)) {
    for (const [scaled, gate] of [
      [{ factor: 1, tensor: a, nodes: [] }, unscale(b, links)],
      [unscale(a, links), { factor: 1, tensor: b, nodes: [] }],
    ] as const) {
      const scales = [...scaled.nodes, ...gate.nodes];
      const factor = scaled.factor * gate.factor;
      const sigmoid = links.soleProducer(gate.tensor);
      const isSigmoid = sigmoid?.op === 'activation' && sigmoid.activation === 'hard-sigmoid';
      if (isSigmoid && sigmoid.inputs[0] === scaled.tensor && isNearOne(factor)) {
        return replaceChain([sigmoid, ...scales], node, scaled.tensor, 'hard-swish', factor);
      }
      const chain = isNearOne(6 * factor) ? shiftedRelu6(gate.tensor, links) : null;
      if (chain && chain.x === scaled.tensor) {
        return replaceChain([...chain.nodes, ...scales], node, chain.x, 'hard-swish', 6 * factor);
      }
    }
  }
  return null;
}

/** In place of the chain that ends in `last`: factor · kind(x). */
function replaceChain(removed: readonly Node[], last: Node, x: string, kind: Activation, factor = 1): Replacements {
  const exact = activation(last, x, kind);
  const isOne = Math.abs(factor - 1) < 1e-6;
  return inPlaceOf(last, isOne ? [exact] : withScale(exact, `${last.name}/scale`, Float32Array.of(factor)), removed);
}
