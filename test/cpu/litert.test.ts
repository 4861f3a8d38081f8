/** The CPU engine in Node: files of float weights are compared with the reference, quantised ones with LiteRT's own bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { CpuEngine } from '../../src/cpu/engine.ts';
import { type Graph, seededInputs } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { nodeLiteRt } from '../../src/node/litert.ts';
import { withEmbedding } from '../../src/passes/embedding.ts';
import { prepare } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { graphCases } from '../bench/graphs.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { type QuantiserOptions, quantised } from '../support/quantiser.ts';
import { modelFolder, needModels } from '../support/real-models.ts';

const engine = nodeLiteRt() as CpuEngine;

/** XNNPACK adds in another order than the reference, and in float32. */
const MOST_NMSE = 1e-9;

async function outputsOf(graph: Graph, file: Uint8Array | null, inputs: Record<string, Float32Array>) {
  const executor = await engine.open({ graph, file });
  try {
    const outputs = await executor.run(graph.inputs.map(({ name }) => inputs[name]!));
    return { outputs, asFile: executor.asFile };
  } finally {
    executor.dispose();
  }
}

function expectReference(graph: Graph, outputs: Record<string, Float32Array>): void {
  const expected = runGraph(graph, seededInputs(graph));
  expect(Object.keys(outputs).sort()).toEqual(graph.outputs.map(({ name }) => name).sort());
  for (const { name } of graph.outputs) {
    const { nmse, topEqual } = compareOutputs(outputs[name]!, expected[name]!.data);
    expect(nmse, name).toBeLessThanOrEqual(MOST_NMSE);
    expect(topEqual, name).toBe(true);
  }
}

const ids = ['v1-0.25-64', 'v2-0.35-64', 'v3-small-1.0-64', 'v3-large-0.75-64', 'v4-conv-small-0.5-64'];

it.each(ids)('%s is written and gives what the reference gives', async (id) => {
  const graph = buildArchitecture(id);
  const { outputs, asFile } = await outputsOf(prepare(graph), null, seededInputs(graph));
  expect(asFile).toBe(false);
  expectReference(graph, outputs);
});

it.each(graphCases)('runs $name', async ({ graph }) => {
  expectReference(graph, (await outputsOf(graph, null, seededInputs(graph))).outputs);
});

describe("a file's own bytes", () => {
  it('are run as they are: float weights', async () => {
    const file = writeTflite(prepare(buildArchitecture('v2-0.35-64')));
    const graph = await loadGraph({ name: 'v2', bytes: file });
    const { outputs, asFile } = await outputsOf(prepare(graph), file, seededInputs(graph));
    expect(asFile).toBe(true);
    expectReference(graph, outputs);
  });

  const variants: QuantiserOptions[] = [
    { type: 'uint8', activations: 'ranges', ends: 'integers' },
    { type: 'int8', activations: 'operators', ends: 'floats' },
  ];
  it.each(variants)('are run as they are: $type, $ends: every byte is that of LiteRT', async (variant) => {
    const small = prepare(buildArchitecture('v1-0.25-64', { classes: 10 }));
    const examples = [1, 2, 3].map((seed) => Object.values(seededInputs(small, seed))[0]!);
    const [{ bytes, model }] = (await quantised(small, examples, [variant])) as [
      Awaited<ReturnType<typeof quantised>>[0],
    ];
    const graph = await loadGraph({ name: 'quantised', bytes });
    const [[input, values]] = Object.entries(seededInputs(graph)) as [[string, Float32Array]];
    const { outputs, asFile } = await outputsOf(prepare(graph), bytes, { [input]: values });
    expect(asFile).toBe(true);
    const tensorOf = (name: string) => model.tensors.find((tensor) => tensor.name === name)!;
    const ends = tensorOf(input).quantisation;
    const data = ends
      ? values.map((value) => Math.min(Math.max(Math.round(value / ends.scales[0]!) + ends.zeroPoints[0]!, 0), 255))
      : values;
    const dims = graph.inputs[0]!.shape;
    const expected = await liteRtOutputs(bytes, { [input]: ends ? { dims, data, type: 'uint8' } : { dims, data } });
    for (const { name } of graph.outputs) {
      const stored = [...expected[name]!.data];
      const { scales: [scale = 1] = [], zeroPoints: [zeroPoint = 0] = [] } = tensorOf(name).quantisation ?? {};
      expect([...outputs[name]!].map((value) => (ends ? Math.round(value / scale) + zeroPoint : value))).toEqual(
        stored,
      );
      expect(new Set(stored).size).toBeGreaterThan(2);
    }
  });

  it('are left where the graph has an output that the file does not have', async () => {
    const file = writeTflite(prepare(buildArchitecture('v1-0.25-32')));
    const graph = withEmbedding(await loadGraph({ name: 'v1', bytes: file }));
    const { outputs, asFile } = await outputsOf(prepare(graph), file, seededInputs(graph));
    expect(asFile).toBe(false);
    expectReference(graph, outputs);
  });

  describe('of real models', () => {
    needModels();
    it('MobileNetV2 1.0 of uint8: LiteRT gives the same bytes', async () => {
      const bytes = new Uint8Array(readFileSync(join(modelFolder, 'mobilenet_v2_1.0_224_quant.tflite')));
      const graph = await loadGraph({ name: 'v2', bytes });
      const data = Float32Array.from({ length: 224 * 224 * 3 }, (_, i) => (i * 7919) % 256);
      const { scale, offset } = graph.image!;
      const values = data.map((pixel) => pixel * scale[0]! + offset[0]!);
      const input = graph.inputs[0]!.name;
      const output = graph.outputs[0]!.name;
      const { outputs, asFile } = await outputsOf(prepare(graph), bytes, { [input]: values });
      expect(asFile).toBe(true);
      const expected = await liteRtOutputs(bytes, { [input]: { dims: [1, 224, 224, 3], data, type: 'uint8' } });
      // A step of its softmax is 1/256.
      expect([...outputs[output]!].map((value) => Math.round(value * 256))).toEqual([...expected[output]!.data]);
    });
  });
});

it('says what is missing where its files are not there', async () => {
  const graph = prepare(buildArchitecture('v1-0.25-32'));
  const gone = nodeLiteRt('file:///nowhere/')!;
  await expect(gone.open({ graph, file: null })).rejects.toThrow(
    /^LiteRT\.js could not be loaded from file:\/\/\/nowhere\/litert_wasm_\w*internal\.js: ENOENT/,
  );
});
