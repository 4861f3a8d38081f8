/**
 * Relatives of MobileNet in files as their frameworks write them, with those names, at a fraction of the widths: raw
 * outputs against the format's own runtime.
 */
import { describe, expect, test } from 'vitest';
import type { Graph } from '../../src/graph/graph.ts';
import { withMeanings } from '../../src/graph/output-meaning.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { writeOnnx } from '../support/onnx-writer.ts';
import { normalisedMeanSquareError, onnxRuntimeOutputs, randomValues, toNchw, toNhwc } from '../support/oracles.ts';
import { paintedScene } from '../support/painted-scene.ts';
import { quantised } from '../support/quantiser.ts';
import { ddfa, edgeTpu, lrAspp, mobileFaceNet, mobileFaceNetTflite } from '../support/relatives.ts';
import { tfliteFile } from '../support/tflite-writer.ts';

/** The network as loaded and after its passes against ONNX Runtime. */
async function againstOnnxRuntime(spec: ReturnType<typeof lrAspp>, range: readonly [number, number]): Promise<Graph> {
  const bytes = writeOnnx(spec);
  const { name, dims } = spec.inputs[0]!;
  const [n, c, h, w] = dims as [number, number, number, number];
  const picture = paintedScene([h, w, c], 5, range);
  const expected = await onnxRuntimeOutputs(bytes, {
    [name]: { dims: [n, c, h, w], data: toNchw([n, h, w, c], picture) },
  });
  const graph = await loadGraph({ name: 'model.onnx', bytes });
  for (const each of [graph, runPasses(graph)]) {
    for (const [output, { shape, data }] of Object.entries(runGraph(each, { [name]: picture }))) {
      const { dims: outputDims, data: stated } = expected[output]!;
      const values = outputDims.length === 4 ? toNhwc(outputDims, stated) : stated;
      expect(shape.filter((d) => d > 1)).toEqual(
        [outputDims[0]!, ...outputDims.slice(2), outputDims[1]!].filter((d) => d > 1),
      );
      expect(normalisedMeanSquareError(data, values), output).toBeLessThan(1e-10);
    }
  }
  return withMeanings(graph);
}

describe('ONNX', () => {
  test('MobileFaceNet as InsightFace exports it: PReLU, a depthwise convolution over all pixels, an embedding', async () => {
    const graph = await againstOnnxRuntime(mobileFaceNet(), [0, 255]);
    expect(graph.nodes.filter(({ op }) => op === 'prelu').length).toBeGreaterThan(5);
    expect(graph.nodes.some((node) => node.op === 'conv2d' && node.kernel[0] === 7 && node.groups > 1)).toBe(true);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['fc1']);
  });

  test('3DDFA: 62 numbers of pose and shape from a MobileNetV1', async () => {
    const graph = await againstOnnxRuntime(ddfa(), [-1, 1]);
    expect(runGraph(graph, { input: new Float32Array(64 * 64 * 3) }).output!.shape).toEqual([1, 1, 1, 62]);
  });

  test('LR-ASPP as torchvision exports it: dilated MobileNetV3, two resolutions, 21 classes at the size of the picture', async () => {
    const graph = await againstOnnxRuntime(lrAspp(), [-2, 2]);
    expect(graph.nodes.some((node) => node.op === 'conv2d' && node.dilation[0] === 2)).toBe(true);
    expect(graph.outputs[0]!.name).toBe('out');
  });
});

describe('TensorFlow Lite', () => {
  const outputsOf = async (bytes: Uint8Array, input: string, picture: Float32Array, shape: readonly number[]) => {
    const expected = await liteRtOutputs(bytes, { [input]: { dims: shape, data: picture } });
    const graph = await loadGraph({ name: 'model.tflite', bytes });
    return { graph, found: runGraph(runPasses(graph), { [input]: picture }), expected };
  };

  test('MobileFaceNet with its embedding of length 1', async () => {
    const { name, shape } = mobileFaceNetTflite.inputs[0]!;
    const picture = paintedScene(shape.slice(1), 3, [-1, 1]);
    const { graph, found, expected } = await outputsOf(writeTflite(mobileFaceNetTflite), name, picture, shape);
    expect(Object.keys(found)).toEqual(['embeddings']);
    expect(normalisedMeanSquareError(found.embeddings!.data, expected.embeddings!.data)).toBeLessThan(1e-10);
    expect(found.embeddings!.data.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
    expect(withMeanings(graph).outputs[0]!.meaning).toBe('features');
  });

  test('PReLU as TensorFlow 1 spells it out: relu(x) + slope · (x − |x|) / 2', async () => {
    const dims = [1, 4, 4, 3];
    const halves = Float32Array.of(0.1, -0.2, 0.4);
    const tensors = ['x', 'r', 'a', 'd', 'm', 'y'].map((name) => ({ name, dims }));
    const options = { 0: ['byte', 0] } as const;
    const bytes = tfliteFile({
      tensors: [...tensors, { name: 'mul/y', dims: [3], data: new Uint8Array(halves.buffer) }],
      operators: [
        { op: 'RELU', inputs: ['x'], output: 'r' },
        { op: 'ABS', inputs: ['x'], output: 'a' },
        { op: 41, inputs: ['x', 'a'], output: 'd', options, optionsType: 28 },
        { op: 'MUL', inputs: ['d', 'mul/y'], output: 'm', options },
        { op: 'ADD', inputs: ['r', 'm'], output: 'y', options },
      ],
    });
    const { found, expected } = await outputsOf(bytes, 'x', randomValues(48, 3, -2, 2), dims);
    expect(normalisedMeanSquareError(found.y!.data, expected.y!.data)).toBeLessThan(1e-12);
  });

  test('MobileNet-EdgeTPU, of floats and quantised', async () => {
    const { name, shape } = edgeTpu.inputs[0]!;
    const picture = paintedScene(shape.slice(1), 3, [-1, 1]);
    const { found, expected } = await outputsOf(writeTflite(edgeTpu), name, picture, shape);
    const [output] = Object.keys(found);
    expect(output).toBe('MobilenetEdgeTPU/Logits/Conv2d_1c_1x1/BiasAdd');
    expect(normalisedMeanSquareError(found[output!]!.data, expected[output!]!.data)).toBeLessThan(1e-10);
    const examples = Array.from({ length: 8 }, (_, i) => paintedScene(shape.slice(1), 101 + 12 * i, [-1, 1]));
    const variants = (['int8', 'uint8'] as const).map(
      (type) => ({ type, activations: 'ranges', ends: 'floats' }) as const,
    );
    for (const { bytes } of await quantised(edgeTpu, examples, variants)) {
      const rounded = await outputsOf(bytes, name, picture, shape);
      expect(normalisedMeanSquareError(rounded.found[output!]!.data, rounded.expected[output!]!.data)).toBeLessThan(
        0.02,
      );
    }
  });
});
