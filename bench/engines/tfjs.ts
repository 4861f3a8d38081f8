import * as tf from '@tensorflow/tfjs-core';
import { inferShapes, samePadding } from '../../src/graph/shapes.ts';
import type { Activation, Conv2d, Graph, Node, Shape } from '../../src/index.ts';
import type { Engine } from './engine.ts';

/**
 * TensorFlow.js with the fused operations that its converter emits: convolution, bias and relu or relu6 in one. Weights
 * are made tensors once; a run is one `tf.tidy`.
 */
async function loadNetwork(graph: Graph) {
  const [input] = graph.inputs;
  const steps = compile(graph);
  return {
    async run(values: Float32Array): Promise<Float32Array> {
      const output = tf.tidy(() => {
        const tensors = new Map<string, tf.Tensor4D>([[input!.name, tf.tensor4d(values, [...input!.shape])]]);
        for (const { node, run } of steps) tensors.set(node.output, run(node.inputs.map((name) => tensors.get(name)!)));
        return tensors.get(graph.outputs[0]!.tensor)!;
      });
      const data = (await output.data()) as Float32Array;
      output.dispose();
      return data;
    },
  };
}

interface Step {
  readonly node: Node;
  run(inputs: tf.Tensor4D[]): tf.Tensor4D;
}

function compile(graph: Graph): Step[] {
  const shapes = inferShapes(graph);
  return graph.nodes.map((node) => ({ node, run: operation(node, shapes.get(node.inputs[0]!)!) }));
}

const fusable = { none: 'linear', relu: 'relu', relu6: 'relu6' } as const;

function operation(node: Node, input: Shape): Step['run'] {
  switch (node.op) {
    case 'conv2d':
      return convolution(node, input);
    case 'fully-connected': {
      const weights = tf.tensor2d(node.weights, [node.weights.length / node.outFeatures, node.outFeatures]);
      const bias = tf.tensor1d(node.bias ?? new Float32Array(node.outFeatures));
      return ([x]) => {
        const flat = tf.reshape(x!, [x!.shape[0], -1]) as tf.Tensor2D;
        const product = tf.fused.matMul({ a: flat, b: weights, bias, activation: 'linear' });
        return activate(tf.reshape(product, [x!.shape[0], 1, 1, node.outFeatures]), node.activation);
      };
    }
    case 'global-average-pool':
      return ([x]) => tf.mean(x!, [1, 2], true);
    case 'add':
      return ([a, b]) => activate(tf.add(a!, b!), node.activation);
    case 'multiply':
      return ([a, b]) => activate(tf.mul(a!, b!), node.activation);
    case 'activation':
      return ([x]) => activate(x!, node.activation);
    case 'softmax':
      return ([x]) => tf.softmax(x!);
    default:
      throw new Error(`node "${node.name}": ${node.op} is not written for TensorFlow.js here`);
  }
}

function convolution(node: Conv2d, input: Shape): Step['run'] {
  const { kernel, stride, dilation, padding, groups, outChannels } = node;
  const depthwise = groups > 1 && groups === input[3];
  if (groups > 1 && !depthwise) throw new Error(`node "${node.name}": TensorFlow.js has no grouped convolution`);
  const filter = tf.tensor4d(
    node.weights,
    depthwise ? [kernel[0], kernel[1], input[3], outChannels / groups] : [kernel[0], kernel[1], input[3], outChannels],
  );
  const { top, left, bottom, right } = padding;
  const same = samePadding([input[1], input[2]], kernel, stride, dilation);
  const isSame = top === same.top && left === same.left && bottom === same.bottom && right === same.right;
  const explicit: [[0, 0], [number, number], [number, number], [0, 0]] = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  const activation = node.activation in fusable ? fusable[node.activation as keyof typeof fusable] : 'linear';
  const options = {
    filter,
    strides: [...stride] as [number, number],
    // The typings of the fused operations leave out explicit padding, which they take.
    pad: (isSame ? 'same' : explicit) as 'same',
    dilations: [...dilation] as [number, number],
    bias: tf.tensor1d(node.bias ?? new Float32Array(outChannels)),
    activation,
  } as const;
  return ([x, residual]) => {
    const y = depthwise ? tf.fused.depthwiseConv2d({ x: x!, ...options }) : tf.fused.conv2d({ x: x!, ...options });
    const activated = node.activation in fusable ? y : activate(y, node.activation);
    return residual ? tf.add(activated, residual) : activated;
  };
}

function activate(x: tf.Tensor4D, activation: Activation): tf.Tensor4D {
  const gate = () => tf.mul(tf.relu6(tf.add(x, 3)), 1 / 6) as tf.Tensor4D;
  switch (activation) {
    case 'none':
      return x;
    case 'relu':
      return tf.relu(x);
    case 'relu6':
      return tf.relu6(x);
    case 'sigmoid':
      return tf.sigmoid(x);
    case 'hard-sigmoid':
      return gate();
    case 'hard-swish':
      return tf.mul(x, gate());
  }
}

async function start(backend: 'webgpu' | 'wasm'): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js could not start its ${backend} backend`);
  await tf.ready();
}

export const tfjsWebgpu: Engine = {
  name: 'tfjs',
  version: tf.version_core,
  device: 'webgpu',
  async load(graph) {
    await import('@tensorflow/tfjs-backend-webgpu');
    await start('webgpu');
    return loadNetwork(graph);
  },
};

export const tfjsWasm: Engine = {
  name: 'tfjs',
  version: tf.version_core,
  device: 'wasm',
  async load(graph) {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    wasm.setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
    // Both of a small machine's cores; the page is cross-origin isolated.
    wasm.setThreadsCount(2);
    await start('wasm');
    return loadNetwork(graph);
  },
};
