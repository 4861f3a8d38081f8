import type { Graph } from '../graph/graph.ts';
import type { Shape } from '../graph/ops.ts';
import { sizeOf } from '../graph/shapes.ts';
import type { TfliteTensor } from '../loaders/tflite/tensors.ts';

/** An input or output of a TensorFlow Lite file as the graph has it. */
export interface FileEnd {
  /** In the graph. */
  readonly name: string;
  /** What LiteRT calls it: by the file's signature where it has one. */
  readonly signatureName: string;
  readonly type: 'FLOAT32' | 'UINT8' | 'INT8';
  /** real = (stored − zeroPoint) · scale. */
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface FileEnds {
  readonly inputs: readonly FileEnd[];
  readonly outputs: readonly FileEnd[];
  /** Whether tensors that the network computes are integers. */
  readonly integers: boolean;
}

const MOST = 50_000;

/**
 * How the file's inputs and outputs are those of the graph, in the graph's order. Null where they are not all the same
 * tensors with their elements in the same order: where the graph was cut or has further outputs, where inputs were given
 * other sizes, where a picture lies channels first. Throws `ModelFormatError`.
 */
export async function endsOf(
  graph: Graph,
  shapes: ReadonlyMap<string, Shape>,
  bytes: Uint8Array,
): Promise<FileEnds | null> {
  const { FlatTable, readTensor } = await import('../loaders/tflite/index.ts');
  const model = FlatTable.root(graph.name, bytes);
  const buffers = model.tables(4, MOST, 'buffers');
  const subgraph = model.tables(2, MOST, 'subgraphs')[0]!;
  const tensors = subgraph.tables(0, MOST, 'tensors');
  const [signature] = model.tables(7, MOST, 'signatures');
  const match = (
    wanted: readonly { readonly name: string; readonly shape: Shape }[],
    field: number,
  ): FileEnd[] | null => {
    const own = subgraph.ints(field, MOST, 'inputs or outputs').map((index) => ({
      index,
      tensor: readTensor(graph.name, tensors[index]!, index, buffers),
    }));
    const named = new Map(
      signature?.tables(field - 1, MOST, 'names').map((entry) => [entry.int(1), entry.string(0)]) ?? [],
    );
    if (own.length !== wanted.length) return null;
    const ends = wanted.map(({ name, shape }) => {
      const found = own.find(({ tensor }) => tensor.name === name);
      if (!found || !sameOrder(found.tensor, shape)) return null;
      const { type, quantisation } = found.tensor;
      if (type !== 'FLOAT32' && type !== 'UINT8' && type !== 'INT8') return null;
      const { scales: [scale = 1] = [], zeroPoints: [zeroPoint = 0] = [] } = quantisation ?? {};
      return { name, signatureName: named.get(found.index) ?? name, type, scale, zeroPoint } as const;
    });
    return ends.every((end) => end !== null) ? ends : null;
  };
  const inputs = match(graph.inputs, 1);
  const outputs = match(
    graph.outputs.map(({ name, tensor }) => ({ name, shape: shapes.get(tensor)! })),
    2,
  );
  if (!inputs || !outputs) return null;
  const integers = tensors.some((table, index) => {
    const { type, quantisation, bytes } = readTensor(graph.name, table, index, buffers);
    return quantisation !== null && bytes.length === 0 && type !== 'FLOAT32';
  });
  return { inputs, outputs, integers };
}

/** Fewer dimensions leave out some of size 1. A cube of channels first looks like one of channels last. */
function sameOrder({ dims }: TfliteTensor, shape: Shape): boolean {
  if (dims.reduce((product, size) => product * size, 1) !== sizeOf(shape)) return false;
  if (dims.length < 4) return true;
  const [, height, width, channels] = shape;
  return dims.every((size, axis) => size === shape[axis]) && !(height === channels && width === channels && width > 1);
}
