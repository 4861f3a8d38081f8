/**
 * Quantised families, their activations in ranges alone, on the CPU reference against LiteRT.js: the best class is the
 * same on integers; on real numbers it is, or is within two steps of it.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import { runGraph } from '../../src/reference/index.ts';
import { encodeTflite, type TfliteModel, type TfliteTensor } from '../../src/writers/tflite-file.ts';
import { liteRtOutputs } from '../support/litert.ts';
import {
  farOff,
  fedTo,
  inputDims,
  networks,
  othersAllowed,
  pictures,
  quantisedFamily,
  stepsFromBest,
  types,
} from './quantised-families.ts';

describe.each(networks)('%s', (id) => {
  let files: Awaited<ReturnType<typeof quantisedFamily>>;

  beforeAll(async () => {
    files = await quantisedFamily(id);
  }, 300_000);

  test.each(types)('%s', async (type) => {
    const file = files.get(type)!;
    const liteRtScores = async (picture: Float32Array) => {
      const fed = fedTo(file, picture);
      const feed = {
        dims: inputDims,
        data: Float32Array.from(fed),
        ...(fed === picture ? {} : { type: 'uint8' as const }),
      };
      const [output] = Object.values(await liteRtOutputs(file.bytes, { input: feed }));
      return Float32Array.from(output!.data);
    };
    const expected = await Promise.all(pictures.map(liteRtScores));
    const offBy = async (bytes: Uint8Array, count: number, pass = runPasses) => {
      const graph = pass(await loadGraph({ name: `${id}.tflite`, bytes }, { quantisation: pass === integerGraph }));
      return pictures.slice(0, count).map((picture, i) => {
        const [scores] = Object.values(runGraph(graph, { input: picture }));
        return stepsFromBest(file, scores!.data, expected[i]!);
      });
    };
    const steps = await offBy(file.bytes, pictures.length);
    const bests = new Set(expected.map((scores) => scores.indexOf(Math.max(...scores))));
    console.log(
      `${id} ${type}: ${bests.size} classes are the best of ${pictures.length} pictures, steps off: ${steps}`,
    );
    expect(farOff(steps)).toBeLessThanOrEqual(othersAllowed(id, type));
    // On integers the best class is the same, on every picture.
    expect(Math.max(...(await offBy(file.bytes, pictures.length, integerGraph)))).toBe(0);
    expect(bests.size).toBeGreaterThan(pictures.length / 2);
    // With the ranges ignored another class wins somewhere.
    expect(Math.max(...(await offBy(encodeTflite(withoutRanges(file.model)), 3)))).toBeGreaterThan(2);
  });
});

/** The file with ranges of what the network computes that cut nothing. */
function withoutRanges(model: TfliteModel): TfliteModel {
  const inputs = new Set(model.inputs.map(([, index]) => index));
  const tensors = model.tensors.map((tensor, index): TfliteTensor => {
    const { data, quantisation, type } = tensor;
    if (data || !quantisation || inputs.has(index)) return tensor;
    const scales = quantisation.scales.map((scale) => 2 * scale);
    return { ...tensor, quantisation: { ...quantisation, scales, zeroPoints: [type === 'int8' ? 0 : 128] } };
  });
  return { ...model, tensors };
}
