/** The operations of most classifiers. */
import { add, multiply } from './binary.ts';
import { conv2d } from './conv.ts';
import { fullyConnected } from './fully-connected.ts';
import { globalAveragePool } from './global-average-pool.ts';
import type { Operations } from './run.ts';
import { softmax } from './softmax.ts';

export const commonOperations: Operations = {
  conv2d: (node, inputs, shape, counter) => conv2d(node, inputs, shape, counter),
  'fully-connected': (node, [input], shape, counter) => fullyConnected(node, input!, shape, counter),
  'global-average-pool': (_node, [input], shape) => globalAveragePool(input!, shape),
  softmax: (_node, [input]) => softmax(input!),
  add: (node, [a, b]) => add(node, [a!, b!]),
  multiply: (node, [a, b]) => multiply(node, [a!, b!]),
};
