import { inPlaceOf, type Pass, rewriteAll } from './pass.ts';

/** An activation goes into the convolution, fully connected layer, addition or product that only it reads. */
export const fuseActivation: Pass = (graph) =>
  rewriteAll(graph, (node, links) => {
    if (node.op !== 'activation') return null;
    const producer = links.soleProducer(node.inputs[0]!);
    if (!producer || !('activation' in producer) || producer.op === 'activation') return null;
    // A residual is added after the activation, so none can follow it.
    if (producer.activation !== 'none' || (producer.op === 'conv2d' && producer.inputs.length > 1)) return null;
    return inPlaceOf(node, [{ ...producer, output: node.output, activation: node.activation }], [producer]);
  });
