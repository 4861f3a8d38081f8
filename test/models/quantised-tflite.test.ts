/** A real quantised detector against LiteRT.js: the heads, before they are decoded. Its ReLU6 stand in ranges alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/cli/decode.ts';
import type { SsdDecoding } from '../../src/graph/decoding.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { FlatTable } from '../../src/loaders/tflite/flat-table.ts';
import { readTensor } from '../../src/loaders/tflite/tensors.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph, runNode } from '../../src/reference/index.ts';
import type { Tensor } from '../../src/reference/tensor.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { fieldOf, follow, subgraphOf } from '../support/tflite-writer.ts';

const name = 'coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite';

/** The positions of the tables of a file's tensors. */
function tensorsOf(view: DataView): number[] {
  const tensors = follow(view, fieldOf(view, subgraphOf(view), 0));
  return Array.from({ length: view.getUint32(tensors, true) }, (_, i) => follow(view, tensors + 4 + 4 * i));
}

function nameOf(view: DataView, tensor: number): string {
  const text = follow(view, fieldOf(view, tensor, 3));
  return new TextDecoder().decode(new Uint8Array(view.buffer, text + 4, view.getUint32(text, true)));
}

/** The file with these tensors as its outputs, and without its last operator, which decodes boxes. */
function cutAt(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  const all = tensorsOf(view).map((tensor) => nameOf(view, tensor));
  const outputs = follow(view, fieldOf(view, subgraphOf(view), 2));
  view.setUint32(outputs, names.length, true);
  names.forEach((head, i) => {
    view.setInt32(outputs + 4 + 4 * i, all.indexOf(head), true);
  });
  const operators = follow(view, fieldOf(view, subgraphOf(view), 3));
  view.setUint32(operators, view.getUint32(operators, true) - 1, true);
  return copy;
}

/** The tensors of a file that it holds as integers, by name; constants are left out. */
function quantisedTensors(
  bytes: Uint8Array,
): ReadonlyMap<string, { readonly step: number; readonly zeroPoint: number }> {
  const root = FlatTable.root(name, bytes);
  const buffers = root.tables(4, 1000, 'buffers');
  const tensors = root.tables(2, 1, 'subgraphs')[0]!.tables(0, 1000, 'tensors');
  const read = tensors.map((table, i) => readTensor(name, table, i, buffers));
  return new Map(
    read.flatMap(({ name, quantisation, bytes: { length } }) =>
      quantisation && length === 0
        ? [[name, { step: quantisation.scales[0]!, zeroPoint: quantisation.zeroPoints[0] ?? 0 }]]
        : [],
    ),
  );
}

/** The graph as loaded, each tensor rounded to the integers in which the file holds it. */
function runRounded(graph: Graph, input: Float32Array, quantised: ReturnType<typeof quantisedTensors>) {
  const tensors = new Map<string, Tensor>([[graph.inputs[0]!.name, { shape: graph.inputs[0]!.shape, data: input }]]);
  for (const node of graph.nodes) {
    const output = runNode(
      node,
      node.inputs.map((of) => tensors.get(of)!),
    );
    const scale = quantised.get(node.output.replace(/\/range$/, ''));
    // What is in the range alone comes in a node of its own, after the sum.
    const rounded = scale && !graph.nodes.some(({ output }) => output === `${node.output}/range`);
    if (rounded)
      output.data.forEach((value, i) => {
        const stored = Math.min(255, Math.max(0, Math.round(value / scale.step + scale.zeroPoint)));
        output.data[i] = (stored - scale.zeroPoint) * scale.step;
      });
    tensors.set(node.output, output);
  }
  return Object.fromEntries(graph.outputs.map((output) => [output.name, tensors.get(output.tensor)!]));
}

describe('COCO SSD MobileNetV1, quantised', () => {
  needModels();

  it.each(['cats_and_dogs.jpg', 'squat.bmp'])(
    'on %s its heads are those of LiteRT.js but for the rounding to 8 bits',
    async (picture) => {
      const bytes = new Uint8Array(readFileSync(join(modelFolder, name)));
      const graph = await loadGraph({ name, bytes });
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
      const quantised = quantisedTensors(bytes);
      const real = runGraph(runPasses(graph), { [input!.name]: data });
      const rounded = runRounded(graph, data, quantised);
      for (const head of heads) {
        const { step, zeroPoint } = quantised.get(head)!;
        const off = (found: Tensor) => {
          expect(found.data).toHaveLength(head === decoding.boxes ? 4 * 1917 : 91 * 1917);
          const steps = Array.from(stored[head]!.data, (value, i) =>
            Math.abs(found.data[i]! / step + zeroPoint - value),
          );
          return [steps.reduce((a, b) => a + b) / steps.length, steps.reduce((a, b) => Math.max(a, b))] as const;
        };
        const [[mean, largest], [roundedMean, roundedLargest]] = [off(real[head]!), off(rounded[head]!)];
        console.log(
          `${picture}, ${head}, steps off: ${mean.toFixed(3)}, at most ${largest.toFixed(2)}; with every tensor rounded ` +
            `${roundedMean.toFixed(3)}, at most ${roundedLargest.toFixed(2)}`,
        );
        // Real numbers lack the rounding of every layer: single values are off by more than it, all of them by less.
        expect(mean).toBeLessThanOrEqual(1);
        expect(roundedMean).toBeLessThanOrEqual(0.25);
        expect(roundedLargest).toBeLessThanOrEqual(6);
      }
    },
  );
});
