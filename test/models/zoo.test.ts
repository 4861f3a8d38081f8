/** Real models end to end against their own runtimes. */
import { afterAll, expect, it } from 'vitest';
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { normalisedMeanSquareError } from '../support/oracles.ts';
import { zoo, zooFiles, zooInput, zooOracle } from './zoo.ts';

const rows: string[] = [];

const indexOfLargest = (values: Float32Array): number =>
  values.reduce((best, v, i) => (v > values[best]! ? i : best), 0);

afterAll(() => void process.stdout.write(`file, oracle: normalised mean square errors\n${rows.join('\n')}\n`));

it.each(zoo.map((model) => [model.name, model] as const))('%s is what its own runtime says', async (_, model) => {
  const graph = await loadGraph(await zooFiles(model), model.options);
  expect(graph.outputs.map(({ name }) => name)).toEqual(model.outputs);
  expect(graph.inputs.map(({ name }) => name)).toEqual([model.input.name]);
  const { graph: x, file } = zooInput(model, graph.inputs[0]!.shape);
  const expected = await zooOracle(model, file);
  const found = runGraph(graph, { [model.input.name]: x });
  const errors = model.outputs.map((name) => {
    const values = (data: Float32Array) => (model.binary?.includes(name) ? [data[0]!, 1 - data[0]!] : data);
    const error = normalisedMeanSquareError(values(found[name]!.data), values(expected[name]!.data));
    expect(error, name).toBeLessThan(model.maxNmse);
    expect(indexOfLargest(found[name]!.data), name).toBe(indexOfLargest(expected[name]!.data));
    return error.toExponential(1);
  });
  rows.push(`${model.file}, ${model.oracle}: ${errors.join(', ')}`);
});
