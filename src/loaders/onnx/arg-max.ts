/** ONNX networks that end in the index of the largest score: they are cut before it. Fetched where a file has `ArgMax`. */
import type { Graph } from '../../graph/graph.ts';
import { FoldError } from '../core/constants.ts';
import { isAxis, withClasses } from '../core/decodings.ts';
import { intOf, intsOf, isStandard } from './attributes.ts';
import type { GraphProto, NodeProto } from './proto.ts';

/** What may stand between the indices and the output, and between scores and what tells how they lie. */
const afterwards: ReadonlySet<string> = new Set(['Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);
const elementwise: ReadonlySet<string> = new Set(['Cast', 'DequantizeLinear', 'Identity', 'QuantizeLinear', 'Softmax']);

export interface ArgMaxCut {
  /** The tensors to end at, in the order of the file's outputs. */
  readonly outputs: readonly string[];
  /** The graph that ends there with its decoding: classes of pixels, where the scores are a map. */
  readonly finish: (graph: Graph) => Graph;
}

const isArgMax = (node: NodeProto): boolean => node.op === 'ArgMax' && isStandard(node);

/** Null where no output is an index. Throws `FoldError`. */
export function cutBeforeArgMax({ nodes, outputs }: GraphProto): ArgMaxCut | null {
  const writers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const writer = (name: string | undefined) => (name ? writers.get(name) : undefined);
  const behind = (name: string | undefined, through: ReadonlySet<string>): NodeProto | undefined => {
    let node = writer(name);
    for (let i = 0; node && through.has(node.op) && i < nodes.length; i++) node = writer(node.inputs[0]);
    return node;
  };
  const ends = outputs.map(({ name }) => {
    const end = behind(name, afterwards);
    return { name, end: end && isArgMax(end) ? end : undefined };
  });
  for (const { name, end } of ends) {
    const axis = end ? intOf(end, 'axis', 0) : 0;
    if (!isAxis([axis]))
      throw new FoldError(`"${end!.name || name}" (ArgMax) names the axis ${axis}, expected -4 to 3`);
  }
  if (!ends.some(({ end }) => end)) return null;
  const [{ end: only }] = ends as [(typeof ends)[0]];
  const finish = (graph: Graph): Graph => {
    if (ends.length > 1 || !only) return graph;
    const turned = behind(only.inputs[0], elementwise);
    const last = turned?.op === 'Transpose' && intsOf(turned, 'perm')?.join() === '0,2,3,1';
    return (last ? [3, -1] : [1, -3]).includes(intOf(only, 'axis', 0)) ? withClasses(graph, 'half-pixel') : graph;
  };
  return { outputs: ends.map(({ name, end }) => (end ? (end.inputs[0] ?? name) : name)), finish };
}
