import type { Conv2d, Graph } from '../../src/index.ts';
import { randomValues } from '../support/random-values.ts';

/**
 * A network with every kind of layer that is tuned, and few of each: a stem, two blocks of pointwise, depthwise and
 * pointwise convolutions, all of other sizes, a mean and a fully connected layer. Sums of pointwise ones stay as they are,
 * negative or not. No layer of one width is one of another's. Without `blocks` the mean follows the stem.
 */
export function smallNetwork(width = 8, blocks = true): Graph {
  const conv = (input: string, name: string, from: number, to: number, more: Partial<Conv2d> = {}): Conv2d => {
    const { kernel = [1, 1], groups = 1 } = more;
    const products = (kernel[0] * kernel[1] * from) / groups;
    return {
      op: 'conv2d',
      name,
      inputs: [input],
      output: name,
      weights: randomValues(products * to, to).map((value) => value / Math.sqrt(products)),
      bias: randomValues(to, 2),
      kernel,
      stride: [1, 1],
      dilation: [1, 1],
      padding: { top: 0, left: 0, bottom: 0, right: 0 },
      groups,
      outChannels: to,
      activation: 'none',
      ...more,
    };
  };
  const [inner, outer] = [2 * width, 3 * width];
  const between = [
    conv('stem', 'expand', width, inner),
    conv('expand', 'depthwise', inner, inner, { kernel: [3, 3], groups: inner, activation: 'relu6' }),
    conv('depthwise', 'project', inner, width),
    conv('project', 'expand-again', width, inner),
    conv('expand-again', 'depthwise-again', inner, inner, { kernel: [3, 3], groups: inner, activation: 'relu6' }),
    conv('depthwise-again', 'last', inner, outer),
  ];
  const last = blocks ? outer : width;
  return {
    name: `small network ${width}`,
    inputs: [{ name: 'x', shape: [1, 17, 17, 3] }],
    outputs: [{ name: 'y', tensor: 'y' }],
    nodes: [
      conv('x', 'stem', 3, width, { kernel: [3, 3], stride: [2, 2], activation: 'relu6' }),
      ...(blocks ? between : []),
      { op: 'global-average-pool', name: 'mean', inputs: [blocks ? 'last' : 'stem'], output: 'mean' },
      {
        op: 'fully-connected',
        name: 'y',
        inputs: ['mean'],
        output: 'y',
        weights: randomValues(last * 10, 3),
        bias: null,
        outFeatures: 10,
        activation: 'none',
      },
    ],
  };
}
