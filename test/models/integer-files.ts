/** Quantised TensorFlow Lite files on integers, on the CPU reference, beside LiteRT.js. */
import { expect } from 'vitest';
import type { Graph } from '../../src/graph/graph.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import { runGraph } from '../../src/reference/index.ts';
import { liteRtOutputs } from '../support/litert.ts';
import type { OracleTensor } from '../support/oracles.ts';
import { cutAt } from '../support/tflite-cut.ts';

/** A file on integers, and its tensors of integers that outputs or a softmax come from. */
export interface Opened {
  readonly bytes: Uint8Array;
  readonly graph: Graph;
  readonly integers: Graph;
  readonly last: readonly {
    readonly name: string;
    readonly tensor: string;
    readonly scale: number;
    readonly zero: number;
  }[];
}

export async function open(name: string, bytes: Uint8Array): Promise<Opened> {
  const graph = await loadGraph({ name, bytes }, { quantisation: true });
  const integers = integerGraph(graph);
  const producers = new Map(integers.nodes.map((node) => [node.output, node]));
  const { tensors } = graph.quantisation!;
  const last = integers.outputs.map(({ tensor }) => {
    let node = producers.get(tensor)!;
    while (!tensors.has(node.output)) node = producers.get(node.inputs[0]!)!;
    // What is rounded of real numbers is no integer's result.
    if (node.op === 'integer' && node.body.kind === 'quantise') {
      do node = producers.get(node.inputs[0]!)!;
      while (!tensors.has(node.output));
    }
    const { name, scale, zeroPoint, type } = tensors.get(node.output)!;
    return { name, tensor: node.output, scale, zero: zeroPoint + (type === 'uint8' ? 128 : 0) };
  });
  return { bytes, graph, integers, last };
}

/** How many of the bytes differ, of the last tensors of `integers`; `fed` is what LiteRT.js takes, `real` what the graph does. */
export async function differing(
  { bytes, integers, last }: Opened,
  fed: OracleTensor,
  real: Float32Array,
): Promise<{ readonly differ: number; readonly of: number }> {
  const input = integers.inputs[0]!.name;
  const cut = { ...integers, outputs: last.map(({ name, tensor }) => ({ name, tensor })) };
  const found = runGraph(cut, { [input]: real });
  const theirs = await liteRtOutputs(
    cutAt(
      bytes,
      last.map(({ name }) => name),
    ),
    { [input]: fed },
  );
  let [differ, of] = [0, 0];
  for (const { name, scale, zero } of last) {
    const stored = theirs[name] ?? theirs[`${name}/real`]!;
    const shift = theirs[name] ? 128 : 0;
    const { data } = found[name]!;
    expect(stored.data).toHaveLength(data.length);
    of += data.length;
    stored.data.forEach((value, i) => {
      const byte = theirs[name] ? value - shift : Math.round(value / scale) + zero;
      if (byte !== data[i]) differ++;
    });
  }
  return { differ, of };
}
