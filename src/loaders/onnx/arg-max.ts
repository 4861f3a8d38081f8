/** ONNX networks that end in the index of the largest score: they are cut before it. Fetched where a file has `ArgMax`. */
import type { Graph } from '../../graph/graph.ts';
import { withClasses } from '../core/decodings.ts';
import { intOf, intsOf } from './attributes.ts';
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

/** Null where no output is an index. */
export function cutBeforeArgMax({ nodes, outputs }: GraphProto): ArgMaxCut | null {
  const writers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const writer = (name: string | undefined) => (name ? writers.get(name) : undefined);
  const behind = (name: string | undefined, through: ReadonlySet<string>): NodeProto | undefined => {
    let node = writer(name);
    for (let i = 0; node && through.has(node.op) && i < nodes.length; i++) node = writer(node.inputs[0]);
    return node;
  };
  const ends = outputs.map(({ name }) => ({ name, end: behind(name, afterwards) }));
  if (!ends.some(({ end }) => end?.op === 'ArgMax')) return null;
  const [{ end: only }] = ends as [(typeof ends)[0]];
  const finish = (graph: Graph): Graph => {
    if (ends.length > 1 || only?.op !== 'ArgMax') return graph;
    const turned = behind(only.inputs[0], elementwise);
    const last = turned?.op === 'Transpose' && intsOf(turned, 'perm')?.join() === '0,2,3,1';
    return (last ? [3, -1] : [1, -3]).includes(intOf(only, 'axis', 0)) ? withClasses(graph, 'half-pixel') : graph;
  };
  return { outputs: ends.map(({ name, end }) => (end?.op === 'ArgMax' ? (end.inputs[0] ?? name) : name)), finish };
}
