/** One ONNX operation, or a few, loaded and run by the reference, against ONNX Runtime. */
import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../src/loaders/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { type ModelSpec, type NodeSpec, type TensorSpec, writeOnnx } from './onnx-writer.ts';
import {
  normalisedMeanSquareError,
  type OracleTensor,
  onnxRuntimeOutputs,
  randomValues,
  toNchw,
  toNhwc,
} from './oracles.ts';

let seed = 1;

export const random = (dims: readonly number[], low = -1, high = 1): TensorSpec => ({
  dims,
  values: randomValues(
    dims.reduce((a, b) => a * b, 1),
    seed++,
    low,
    high,
  ),
});

export const int64 = (...values: number[]): TensorSpec => ({ dims: [values.length], type: 'int64', values });
export const scalar = (value: number): TensorSpec => ({ dims: [], values: [value] });

export interface Case extends Pick<ModelSpec, 'opset'> {
  readonly nodes: readonly NodeSpec[];
  /** Dimensions of the input `x`, as in the file. */
  readonly x: readonly number[];
  /** As the file states them, where dynamic. */
  readonly stated?: readonly (number | string)[];
  readonly initializers?: Readonly<Record<string, TensorSpec>>;
  readonly range?: readonly [number, number];
  /** The output is compared as it lies: it is no NCHW image. */
  readonly plainOutput?: boolean;
  readonly plainInput?: boolean;
  /** Of the graph as loaded. */
  readonly ops?: readonly string[];
}

export const one = (op: string, attributes: NodeSpec['attributes'] = {}, ...more: string[]): NodeSpec[] => [
  { op, name: 'n', inputs: ['x', ...more], outputs: ['y'], attributes },
];

export function fileOf({ nodes, x, stated, initializers, opset }: Case): Uint8Array {
  return writeOnnx({
    opset: opset ?? 17,
    nodes,
    inputs: [{ name: 'x', type: 'float', dims: stated ?? x }],
    outputs: [{ name: 'y', type: 'float' }],
    initializers: initializers ?? {},
  });
}

export async function compare(testCase: Case): Promise<void> {
  const { x: dims, range = [-3, 3], plainInput, plainOutput, ops } = testCase;
  const bytes = fileOf(testCase);
  const data = randomValues(
    dims.reduce((a, b) => a * b, 1),
    seed++,
    ...range,
  );
  const expected = (await onnxRuntimeOutputs(bytes, { x: { dims, data } })).y as OracleTensor;
  const graph = await loadGraph({ name: 'case.onnx', bytes });
  if (ops) expect(graph.nodes.map(({ op }) => op)).toEqual(ops);
  const isImage = dims.length === 4 && !plainInput;
  const found = runGraph(graph, { x: isImage ? toNhwc(dims, data) : data }).y!;
  const turned = expected.dims.length === 4 && !plainOutput;
  const values = turned ? toNchw(found.shape, found.data) : found.data;
  if (turned) expect([found.shape[0], found.shape[3], found.shape[1], found.shape[2]]).toEqual(expected.dims);
  expect(normalisedMeanSquareError(values, expected.data)).toBeLessThan(1e-12);
}

export const suite = (title: string, cases: Readonly<Record<string, Case>>) =>
  describe(title, () => {
    for (const [name, testCase] of Object.entries(cases)) test(name, () => compare(testCase));
  });
