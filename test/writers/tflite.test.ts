import { ByteBuffer } from 'flatbuffers';
import { describe, expect, test } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { type Graph, seededInputs } from '../../src/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { encodeTflite } from '../../src/writers/tflite-file.ts';
import { expectClose } from '../bench/close.ts';
import { graphCases } from '../bench/graphs.ts';
import { liteRtOutputs } from '../support/litert.ts';

/** LiteRT's outputs of the written file. */
async function runWritten(graph: Graph): Promise<Record<string, Float32Array>> {
  const inputs = seededInputs(graph);
  const feeds = graph.inputs.map(({ name, shape }) => [name, { dims: shape, data: inputs[name]! }] as const);
  const found = await liteRtOutputs(writeTflite(graph), Object.fromEntries(feeds));
  return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, data]));
}

// Sums of at most 120 products in float32: 120 · 2⁻²⁴ = 7·10⁻⁶ of the largest summands.
const SMALL = 1e-5;

test.each(graphCases)('LiteRT runs what was written: $name', async ({ graph }) => {
  const expected = runGraph(graph, seededInputs(graph));
  const found = await runWritten(graph);
  expect(Object.keys(found).sort()).toEqual(graph.outputs.map(({ name }) => name).sort());
  for (const { name } of graph.outputs) expectClose(found[name]!, expected[name]!.data, SMALL);
});

test.each(['v1-0.25-64', 'v2-0.35-64', 'v3-small-1.0-64', 'v3-large-0.75-64', 'v4-conv-small-0.5-64'])(
  '%s through LiteRT',
  async (id) => {
    const graph = buildArchitecture(id);
    const expected = runGraph(graph, seededInputs(graph)).logits!.data;
    expectClose((await runWritten(runPasses(graph))).logits!, expected, 1e-4);
  },
);

describe('the file', () => {
  const bytes = encodeTflite({
    name: 'file',
    tensors: [
      { name: 'input', shape: [1, 3], data: null },
      { name: 'three', shape: [3], data: Float32Array.of(1, 2, 3) },
      { name: 'one', shape: [1], data: Int32Array.of(7) },
      { name: 'output', shape: [1, 3], data: null },
    ],
    operators: [{ op: 'HARD_SWISH', version: 1, inputs: [0], outputs: [3] }],
    inputs: [['input', 0]],
    outputs: [['output', 3]],
  });

  test('is marked as what it is', () => {
    expect(new ByteBuffer(bytes).getBufferIdentifier()).toBe('TFL3');
  });

  test('has its weights at multiples of 16 bytes', () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const places = Array.from({ length: bytes.length - 12 }, (_, at) => at).filter(
      (at) => view.getFloat32(at, true) === 1 && view.getFloat32(at + 4, true) === 2,
    );
    expect(places).toHaveLength(1);
    expect(places[0]! % 16).toBe(0);
  });

  test('refuses an option that an operator does not have', () => {
    const model = {
      name: 'file',
      tensors: [],
      operators: [
        { op: 'SOFTMAX', version: 1, inputs: [], outputs: [], options: ['SoftmaxOptions', { gamma: 1 }] } as const,
      ],
      inputs: [],
      outputs: [],
    };
    expect(() => encodeTflite(model)).toThrow('SoftmaxOptions has no field "gamma"');
  });
});
