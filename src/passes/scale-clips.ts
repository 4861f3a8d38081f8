import type { Node } from '../graph/ops.ts';
import { isLinear } from './fold-batch-norm.ts';
import { inPlaceOf, type Pass, rewriteAll } from './pass.ts';
import { scaleOutputs, withScale } from './scale-weights.ts';
import { sinks } from './sink-scales.ts';

/**
 * A clip to [0, b] after a convolution or fully connected layer is b/6 · relu6(6/b · x): the first factor goes into the
 * weights before, the second becomes a scale, where the layers that read it can take it into their weights. So the
 * ranges of quantised tensors, and gates that are cut at 0 and 1, cost no kernel of their own.
 */
export const scaleClips: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    if (node.op !== 'clip' || node.min !== 0 || !(node.max > 2 ** -20 && node.max < 2 ** 20)) return null;
    const before = links.soleProducer(node.inputs[0]!);
    if (!before || !isLinear(before) || !sinks(node.output, links, 3)) return null;
    const factor = node.max / 6;
    const channels = links.shapes.get(node.output)![3];
    const factors = { scale: new Float64Array(channels).fill(1 / factor), shift: new Float64Array(channels) };
    const relu6: Node = { ...scaleOutputs(before, factors), activation: 'relu6', output: node.output };
    return inPlaceOf(node, withScale(relu6, `${node.name}/scale`, Float32Array.of(factor)), [before]);
  });
