import { describe, expect, it } from 'vitest';
import { UnsupportedOpError } from '../../../src/errors.ts';
import type { SsdDecoding } from '../../../src/graph/decoding.ts';
import { load } from '../../../src/index.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { runPasses } from '../../../src/passes/index.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { decodeSsd, detect } from '../../../src/tasks/index.ts';
import {
  anchorCorners,
  anchorCount,
  type CocoSsdOptions,
  classes,
  cocoSsd,
  decodedOutputs,
  rawOutputs,
  resized,
  size,
} from '../../support/coco-ssd.ts';
import { normalisedMeanSquareError, randomValues, tensorflowOutputs } from '../../support/oracles.ts';
import { postProcess } from '../../support/ssd-reference.ts';

const filesOf = ({ bytes, shard }: ReturnType<typeof cocoSsd>) => ({
  name: 'model.json',
  bytes,
  read: async () => shard,
});
const graphOf = (options?: CocoSsdOptions) => loadGraph(filesOf(cocoSsd(options)));

const pixels = randomValues(size * size * 3, 21, 0, 256).map(Math.floor);

describe("an SSD of the Object Detection API, as TensorFlow.js' coco-ssd has it", () => {
  it.each([{}, { folded: true }])('begins behind its resizing and ends before its decoding (%o)', async (options) => {
    const graph = await graphOf(options);
    expect(graph.inputs).toEqual([{ name: resized, shape: [1, size, size, 3] }]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(rawOutputs);
    expect(graph.assumptions).toEqual([
      expect.stringMatching(/half a pixel off/),
      expect.stringMatching(/at most 20 of a score of 0\.5/),
    ]);
    const { anchors, ...decoding } = graph.decoding as SsdDecoding;
    expect({ ...decoding, scales: decoding.scales.map((scale) => +scale.toFixed(5)) }).toEqual({
      ...{ kind: 'ssd', boxes: rawOutputs[0], scores: rawOutputs[1], logits: false, scales: [10, 10, 5, 5], classes },
      ...{ maxDetections: 20, maxClassesPerDetection: 1, maxPerClass: null, minScore: 0.5, maxOverlap: 0.5 },
    });
    expect(anchors).toHaveLength(4 * anchorCount);

    // What TensorFlow.js computes, fed where the network begins: raw, and decoded by the file's own operations.
    const oracle = cocoSsd({ ...options, fed: true });
    const feeds = { [resized]: { dims: [1, size, size, 3], data: pixels } };
    const expected = await tensorflowOutputs(
      oracle.json,
      oracle.shard,
      feeds,
      [...rawOutputs, ...decodedOutputs],
      'cpu',
    );
    const outputs = runGraph(runPasses(graph), { [resized]: pixels });
    const found = Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
    for (const name of rawOutputs) {
      const error = normalisedMeanSquareError(found[name]!, expected[name]!.data);
      console.log(`${name}: normalised mean square error ${error.toExponential(1)}`);
      expect(error).toBeLessThan(1e-12);
    }
    const [boxes, scores] = decodedOutputs.map((name) => expected[name]!.data) as [Float32Array, Float32Array];
    const heads = { boxes: found[rawOutputs[0]]!, scores: found[rawOutputs[1]]! };
    // Every anchor once, by its best class.
    const all = { ...decoding, anchors, maxDetections: anchorCount, minScore: 0, maxOverlap: 1 };
    const detections = decodeSsd(heads, all);
    expect(detections).toHaveLength(anchorCount);
    const rows = Array.from({ length: anchorCount }, (_, i) => {
      const own = [...scores.subarray(classes * i, classes * (i + 1))];
      const score = Math.max(...own);
      return [...boxes.subarray(4 * i, 4 * i + 4), own.indexOf(score), score];
    });
    for (const { top, left, bottom, right, index, score } of detections) {
      const ours = [top, left, bottom, right, index, score];
      const distance = Math.min(...rows.map((row) => Math.max(...row.map((value, k) => Math.abs(value - ours[k]!)))));
      expect(distance, `${ours}`).toBeLessThan(1e-5);
    }
    // And its suppression, in float64.
    const corners = anchorCorners();
    const centres = Array.from({ length: anchorCount }, (_, i) => {
      const [top, left, bottom, right] = corners.slice(4 * i, 4 * i + 4).map(Math.fround) as [
        number,
        number,
        number,
        number,
      ];
      return [(top + bottom) / 2, (left + right) / 2, bottom - top, right - left];
    }).flat();
    const given = { ...decoding, ...heads, anchors: centres, scales: [10, 10, 5, 5], columns: classes + 1 };
    const kept = decodeSsd(heads, { ...decoding, anchors });
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.map(({ index, score }) => [index, score])).toEqual(
      postProcess(given).map(([, , , , index, score]) => [index, score]),
    );
  });

  it('takes the suppression of a file that has it', async () => {
    const { decoding } = await graphOf({ suppressed: true });
    expect(decoding).toMatchObject({ maxDetections: 7, maxPerClass: 7, minScore: 0.25, maxOverlap: 0.5 });
  });

  it('detects in a picture of any size', async () => {
    const { bytes, shard } = cocoSsd();
    const model = await load(await loadGraph({ name: 'model.json', bytes, read: async () => shard }), {
      device: 'reference',
    });
    const data = Uint8Array.from(randomValues(4 * 50 * 40, 5, 0, 256));
    const found = await detect(model, { width: 50, height: 40, data }, { minScore: 0.1 });
    expect(found.length).toBeGreaterThan(0);
    for (const { box, score } of found) {
      expect(score).toBeGreaterThanOrEqual(0.1);
      expect(box[2]).toBeGreaterThan(0);
    }
  });

  it.each([
    ['Postprocessor/Decode/transpose', 'leads to no boxes'],
    ['Postprocessor/Decode/div_2', 'does not divide by a constant'],
    ['Postprocessor/Decode/get_center_coordinates_and_sizes/transpose', 'reads no constant anchors'],
    ['Preprocessor/map/while/ResizeImage/ResizeBilinear', 'makes pictures of a size that is not constant'],
  ])('says so where %s is missing', async (name, message) => {
    const graph = graphOf({ changed: { [name]: null } });
    await expect(graph).rejects.toThrow(UnsupportedOpError);
    await expect(graph).rejects.toThrow(message);
  });
});
