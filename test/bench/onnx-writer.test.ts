import { expect, test } from 'vitest';
import { judge } from '../../bench/compare.ts';
import { writeOnnx } from '../../bench/writers/onnx.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { type Graph, outputShapes, type Shape, seededInputs } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { onnxRuntimeOutputs, toNchw, toNhwc } from '../support/oracles.ts';
import { expectClose } from './close.ts';
import { graphCases } from './graphs.ts';

const nchw = ([n, h, w, c]: Shape) => [n, c, h, w];

/** ONNX Runtime's outputs of the written file, as NHWC. */
async function runWritten(graph: Graph, options: { half?: boolean } = {}): Promise<Record<string, Float32Array>> {
  const feeds = Object.entries(seededInputs(graph)).map(([name, data], i) => {
    const { shape } = graph.inputs[i]!;
    return [name, { dims: nchw(shape), data: toNchw(shape, data) }] as const;
  });
  const found = await onnxRuntimeOutputs(writeOnnx(graph, options), Object.fromEntries(feeds));
  const shapes = outputShapes(graph);
  return Object.fromEntries(
    Object.entries(found).map(([name, { data }]) => [name, toNhwc(nchw(shapes.get(name)!), data)]),
  );
}

// Sums of at most 120 products in float32: 120 · 2⁻²⁴ = 7·10⁻⁶ of the largest summands.
const SMALL = 1e-5;

test.each(graphCases)('ONNX Runtime runs what was written: $name', async ({ graph }) => {
  const expected = runGraph(graph, seededInputs(graph));
  const found = await runWritten(graph);
  expect(Object.keys(found).sort()).toEqual(graph.outputs.map(({ name }) => name).sort());
  for (const { name } of graph.outputs) expectClose(found[name]!, expected[name]!.data, SMALL);
});

test.each(graphCases)('the loader reads what was written: $name', async ({ graph }) => {
  const loaded = await loadGraph({ name: 'written.onnx', bytes: writeOnnx(graph) });
  expect(loaded.inputs.map(({ name }) => name)).toEqual(graph.inputs.map(({ name }) => name));
  expect(loaded.outputs.map(({ name }) => name)).toEqual(graph.outputs.map(({ name }) => name));
  const inputs = seededInputs(graph);
  const expected = runGraph(graph, inputs);
  const found = runGraph(loaded, inputs);
  for (const { name } of graph.outputs) expectClose(found[name]!.data, expected[name]!.data, SMALL);
});

// A twelfth of the pixels; the layers are those of the full size.
test.each(['v1-0.25-64', 'v2-0.35-64', 'v3-small-1.0-64', 'v3-large-0.75-64', 'v4-conv-small-0.5-64'])(
  '%s through ONNX Runtime and back through the loader',
  async (id) => {
    const original = buildArchitecture(id);
    const graph = runPasses(original);
    const expected = runGraph(original, seededInputs(original)).logits!.data;
    const found = await runWritten(graph);
    expectClose(found.logits!, expected, 1e-4);
    const loaded = runPasses(await loadGraph({ name: id, bytes: writeOnnx(graph) }));
    expectClose(runGraph(loaded, seededInputs(original)).logits!.data, expected, 1e-4);
    expect(loaded.nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op));
  },
);

// Inputs and weights are rounded by 2⁻¹¹ of themselves each, and what a node writes by 2⁻¹¹ again; sums of both signs are
// up to ten times smaller than their summands.
const SMALL_IN_HALVES = 3e-2;

test.each(graphCases)('ONNX Runtime runs what was written in halves: $name', async ({ graph }) => {
  const expected = runGraph(graph, seededInputs(graph));
  const found = await runWritten(graph, { half: true });
  expect(Object.keys(found).sort()).toEqual(graph.outputs.map(({ name }) => name).sort());
  for (const { name } of graph.outputs) expectClose(found[name]!, expected[name]!.data, SMALL_IN_HALVES);
});

test('a network in halves is right as such, and would not be as float32', async () => {
  const original = buildArchitecture('v2-0.35-64');
  const expected = [runGraph(original, seededInputs(original)).logits!.data];
  const found = [(await runWritten(runPasses(original), { half: true })).logits!];
  expect(judge(found, expected, [], 'float16').error).toBeNull();
  expect(judge(found, expected).error).toMatch('differs');
});
