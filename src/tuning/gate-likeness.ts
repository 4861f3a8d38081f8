/** Fused gates as small layers, for the self-check; fetched for graphs with fused nodes. Other blocks have no small likeness. */
import type { Node } from '../graph/ops.ts';
import { fewer, type Likeness, smaller } from './golden.ts';

export const gateLikeness: Likeness = (node, [input, , ...residual], rows, columns) => {
  if (node.op !== 'fused') return null;
  const [multiply, project] = node.parts;
  if (multiply?.op !== 'multiply' || project?.op !== 'conv2d') return null;
  const small = smaller(rows, columns, 16)(input!);
  const [images, height, width, channels] = small;
  const outChannels = fewer(project.outChannels, 40);
  const output = [images, height, width, outChannels] as const;
  const bias = project.bias && new Float32Array(outChannels);
  const made = { ...project, outChannels, weights: new Float32Array(channels * outChannels), bias };
  return {
    // What comes after the sum is in its key so.
    node: { ...node, parts: [multiply, made], activation: project.activation } as Node,
    inputs: [small, [images, 1, 1, channels], ...residual.map(() => output)],
    output,
  };
};
