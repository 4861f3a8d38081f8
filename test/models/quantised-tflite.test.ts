/** A real quantised detector against LiteRT.js: the heads, before they are decoded. Its ReLU6 stand in ranges alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/cli/decode.ts';
import type { SsdDecoding } from '../../src/graph/decoding.ts';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import { runGraph } from '../../src/reference/index.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { cutAt } from '../support/tflite-cut.ts';

const name = 'coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite';

describe('COCO SSD MobileNetV1, quantised', () => {
  needModels();

  it.each(['cats_and_dogs.jpg', 'squat.bmp'])(
    'on %s its heads are those of LiteRT.js on integers, and but for the rounding to 8 bits on real numbers',
    async (picture) => {
      const bytes = new Uint8Array(readFileSync(join(modelFolder, name)));
      const graph = await loadGraph({ name, bytes }, { quantisation: true });
      const decoding = graph.decoding as SsdDecoding;
      const heads = [decoding.boxes, decoding.scores];
      expect(graph.outputs.map((output) => output.name)).toEqual(heads);
      expect(graph.labels).toHaveLength(90);
      const [input] = graph.inputs;
      const image = graph.image!;
      const plain = { ...image, scale: [1], offset: [0] };
      const pixels = imageToTensor(await decode(join(modelFolder, picture)), plain, [300, 300], 3).map(Math.round);
      const data = pixels.map((pixel) => pixel * image.scale[0]! + image.offset[0]!);
      const feeds = { [input!.name]: { dims: [1, 300, 300, 3], data: pixels, type: 'uint8' as const } };
      const stored = await liteRtOutputs(cutAt(bytes, heads), feeds);
      const real = runGraph(runPasses(graph), { [input!.name]: data });
      const integers = runGraph(integerGraph(graph), { [input!.name]: data });
      for (const head of heads) {
        const { scale, zeroPoint } = [...graph.quantisation!.tensors.values()].find((tensor) => tensor.name === head)!;
        const off = (found: Float32Array) => {
          expect(found).toHaveLength(head === decoding.boxes ? 4 * 1917 : 91 * 1917);
          const steps = Array.from(stored[head]!.data, (value, i) =>
            Math.abs(found[i]! / scale + zeroPoint + 128 - value),
          );
          return [steps.reduce((a, b) => a + b) / steps.length, steps.reduce((a, b) => Math.max(a, b))] as const;
        };
        const [[mean, largest], [, exact]] = [off(real[head]!.data), off(integers[head]!.data)];
        console.log(
          `${picture}, ${head}, steps off: on integers ${exact.toFixed(4)} at most; on real numbers ${mean.toFixed(3)}, ` +
            `at most ${largest.toFixed(2)}`,
        );
        // Real numbers lack the rounding of every layer; the step is rounded to float32.
        expect(mean).toBeLessThanOrEqual(1);
        expect(exact).toBeLessThan(1e-3);
      }
    },
  );
});
