/** Whole MobileNets, quantised as exporters do it, against ONNX Runtime, which computes with integers. */
import { expect, test } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import { runGraph } from '../../src/reference/index.ts';
import { quantisedOnnx } from '../support/onnx-quantiser.ts';
import { normalisedMeanSquareError, onnxRuntimeOutputs, randomValues, toNchw } from '../support/oracles.ts';
import { suite } from '../support/suite.ts';
import { networks, scenes } from './quantised-families.ts';

const shape = [1, 64, 64, 3] as const;
const [n, h, w, c] = shape;

async function runtimeOutput(bytes: Uint8Array, name: string, x: Float32Array): Promise<Float32Array> {
  return (await onnxRuntimeOutputs(bytes, { [name]: { dims: [n, c, h, w], data: toNchw(shape, x) } })).y!.data;
}

test('a quantised MobileNetV2 on real numbers gives the logits of ONNX Runtime within six steps of their scale', async () => {
  const graph = runPasses(buildArchitecture('v2-0.35-64'));
  const { name } = graph.inputs[0]!;
  const size = 64 * 64 * 3;
  const { bytes, step } = quantisedOnnx(graph, randomValues(size, 1, -1, 1), 'qdq');
  // Another input than that of the calibration: some activations leave their ranges.
  const x = randomValues(size, 2, -1.2, 1.2);
  const expected = await runtimeOutput(bytes, name, x);
  const quantised = runPasses(await loadGraph({ name: 'q.onnx', bytes }));
  const found = runGraph(quantised, { [name]: x }).y!;
  const errors = Array.from(found.data, (value, i) => Math.abs(value - expected[i]!) / step);
  expect(Math.max(...errors)).toBeLessThan(6);
  expect(errors.reduce((sum, error) => sum + error) / errors.length).toBeLessThan(1);
  const best = (values: Float32Array) => values.indexOf(Math.max(...values));
  expect(best(found.data)).toBe(best(expected));
  // The ranges are what keeps it near: without any quantisation the network is several times further away.
  const real = Object.values(runGraph(graph, { [name]: x }))[0]!.data;
  const distance = (values: Float32Array) => normalisedMeanSquareError(values, expected);
  expect(distance(found.data)).toBeLessThan(distance(real) / 4);
});

test.each(networks.flatMap((id) => (['qdq', 'qlinear'] as const).map((form) => [id, form] as const)))(
  '%s as %s on integers: every byte is that of ONNX Runtime',
  async (id, form) => {
    const graph = runPasses(buildArchitecture(id));
    const { name } = graph.inputs[0]!;
    const { bytes, step, first } = quantisedOnnx(graph, scenes(1)[0]!, form);
    const integers = integerGraph(await loadGraph({ name: `${id}.onnx`, bytes }, { quantisation: true }));
    let differ = 0;
    for (const picture of scenes(suite === 'full' ? 20 : 3)) {
      // What the input's integers hold: runtimes divide by its scale in ways of their own.
      const x = picture.map((value) => {
        const q = Math.min(255, Math.max(0, Math.round(value / first.scale) + first.zeroPoint));
        return (q - first.zeroPoint) * first.scale;
      });
      const expected = await runtimeOutput(bytes, name, x);
      const found = runGraph(integers, { [name]: x }).y!.data;
      expect(found).toHaveLength(expected.length);
      differ += found.filter((value, i) => Math.round((value - expected[i]!) / step) !== 0).length;
      expect(new Set(expected).size).toBeGreaterThan(20);
    }
    expect(differ).toBe(0);
  },
);
