import { afterAll, expect, test } from 'vitest';
import { writeOnnx } from '../../bench/writers/onnx.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { seededInputs } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { normalisedMeanSquareError, onnxRuntimeOutputs, tensorflowOutputs, toNchw } from '../support/oracles.ts';
import { writeTfjsNetwork } from '../support/tfjs-network.ts';

// Rounding to float32 alone, folded weights among it: 2⁻²⁴ squared is 4·10⁻¹⁵ a layer.
const LOADED = 1e-12;
const RUNTIME = 1e-10;

const networks = ['v1', 'v2', 'v3-small', 'v3-large', 'v4-conv-small'].flatMap((family) =>
  ['0.35', '0.5', '1.0'].flatMap((alpha) => [64, 96].map((size) => `${family}-${alpha}-${size}`)),
);

const worst = new Map<string, number>();

function expectSame(what: string, found: ArrayLike<number>, expected: ArrayLike<number>, bound: number): void {
  const error = normalisedMeanSquareError(found, expected);
  worst.set(what, Math.max(worst.get(what) ?? 0, error));
  expect(error, what).toBeLessThan(bound);
}

afterAll(() => {
  for (const [what, error] of worst) console.log(`${what}: worst NMSE ${error.toExponential(1)}`);
});

test.each(networks)('%s through ONNX, TFLite and TensorFlow.js', async (id) => {
  const original = buildArchitecture(id);
  const inputs = seededInputs(original);
  const expected = runGraph(original, inputs).logits!.data;
  const graph = runPasses(original);
  const onnx = writeOnnx(graph);
  const tflite = writeTflite(graph);
  const tfjs = writeTfjsNetwork(graph);
  for (const files of [
    { name: 'written.onnx', bytes: onnx },
    { name: 'written.tflite', bytes: tflite },
    { name: 'written model.json', bytes: tfjs.bytes, read: async () => tfjs.shard },
  ]) {
    const loaded = await loadGraph(files);
    const found = Object.values(runGraph(loaded, inputs))[0]!.data;
    expectSame(files.name, found, expected, LOADED);
  }
  const [{ name, shape }] = original.inputs as [(typeof original.inputs)[number]];
  const [n, h, w, c] = shape;
  const feed = { dims: [n, c, h, w], data: toNchw(shape, inputs[name] as Float32Array) };
  const { logits } = await onnxRuntimeOutputs(onnx, { [name]: feed });
  expectSame('ONNX Runtime', logits!.data, expected, RUNTIME);
  const image = { [name]: { dims: shape, data: inputs[name] as Float32Array } };
  const lite = await liteRtOutputs(tflite, image);
  expectSame('LiteRT', Object.values(lite)[0]!.data, expected, RUNTIME);
  const tensorflow = await tensorflowOutputs(tfjs.json, tfjs.shard, image, ['logits']);
  expectSame('TensorFlow.js', tensorflow.logits!.data, expected, RUNTIME);
});
