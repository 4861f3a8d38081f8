/** A real detector whose ReLU6 stand in the ranges of its integers alone, against LiteRT.js. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { normalisedMeanSquareError } from '../support/oracles.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { fieldOf, follow, subgraphOf } from '../support/tflite-writer.ts';

/** The first tensor of the file: box encodings before they are decoded. */
const boxes = 'BoxPredictor_0/BoxEncodingPredictor/BiasAdd';

/** The file with this tensor as its only output, and without its last operator, which decodes boxes. */
function cutAtBoxes(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  const outputs = follow(view, fieldOf(view, subgraphOf(view), 2));
  view.setUint32(outputs, 1, true);
  view.setInt32(outputs + 4, 0, true);
  const operators = follow(view, fieldOf(view, subgraphOf(view), 3));
  view.setUint32(operators, view.getUint32(operators, true) - 1, true);
  return copy;
}

/** Scale and zero point of the file's first tensor. */
function scaleOf(bytes: Uint8Array): [scale: number, zeroPoint: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const tensor = follow(view, follow(view, fieldOf(view, subgraphOf(view), 0)) + 4);
  const quantisation = follow(view, fieldOf(view, tensor, 4));
  const [scales, zeroPoints] = [2, 3].map((field) => follow(view, fieldOf(view, quantisation, field)));
  return [view.getFloat32(scales! + 4, true), Number(view.getBigInt64(zeroPoints! + 4, true))];
}

describe('COCO SSD MobileNetV1, quantised', () => {
  needModels();

  it('box encodings are those of LiteRT.js but for the rounding to 8 bits', async () => {
    const name = 'coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite';
    const bytes = cutAtBoxes(readFileSync(join(modelFolder, name)));
    const graph = await loadGraph({ name, bytes });
    expect(graph.outputs.map((output) => output.name)).toEqual([boxes]);
    const [input] = graph.inputs;
    const { scale, offset } = graph.image!;
    // Waves of colour.
    const pixels = Float32Array.from({ length: 300 * 300 * 3 }, (_, i) =>
      Math.round(128 + 100 * Math.sin(i / 18_000) * Math.cos((i % 900) / 60)),
    );
    const data = pixels.map((pixel) => pixel * scale[0]! + offset[0]!);
    const [found] = Object.values(runGraph(runPasses(graph), { [input!.name]: data }));
    const feeds = { [input!.name]: { dims: [1, 300, 300, 3], data: pixels, type: 'uint8' as const } };
    const [stored] = Object.values(await liteRtOutputs(bytes, feeds));
    const [step, zeroPoint] = scaleOf(bytes);
    const expected = Float32Array.from(stored!.data, (value) => (value - zeroPoint) * step);
    const error = normalisedMeanSquareError(found!.data, expected);
    console.log(`${name}: normalised mean square error ${error.toExponential(1)}`);
    expect(error).toBeLessThan(0.01);
  });
});
