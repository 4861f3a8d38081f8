/** Graph models with the node names that @tensorflow-models/mobilenet asks for, as files of TensorFlow Hub have them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildArchitecture } from '../../src/architectures/index.ts';
import type { Conv2d, Graph, Node } from '../../src/index.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { modelFolder } from '../support/real-models.ts';
import { writeTfjsNetwork } from '../support/tfjs-network.ts';

const names = {
  v1: {
    pool: 'module_apply_default/MobilenetV1/Logits/global_pool',
    logits: 'module_apply_default/MobilenetV1/Logits/output',
  },
  v2: {
    pool: 'module_apply_default/MobilenetV2/Logits/AvgPool',
    logits: 'module_apply_default/MobilenetV2/Logits/output',
  },
} as const;

/** V1 of the real weights of width 0.25, up to its logits. */
export async function writeV1(folder: string): Promise<void> {
  const name = 'mobilenet_v1_0.25_224_1_default_1.tflite';
  const loaded = await loadGraph({ name, bytes: new Uint8Array(readFileSync(join(modelFolder, name))) });
  write(folder, hubGraph(runPasses(loaded), names.v1));
}

/** V2 of random weights; its last layer is scaled by `scale`, so that one class stands out. */
export function writeV2(folder: string, scale: number): void {
  const graph = runPasses(buildArchitecture('v2-0.5-224', { classes: 1001 }));
  write(folder, hubGraph(graph, names.v2, scale));
}

function write(folder: string, graph: Graph): void {
  const { bytes, shard } = writeTfjsNetwork(graph);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.json'), bytes);
  writeFileSync(join(folder, 'group1-shard1of1.bin'), shard);
}

/** Ends at the logits, `[1, 1001]`, of what a global pool gives; both under the hub's names. */
function hubGraph(
  graph: Graph,
  { pool, logits }: { readonly pool: string; readonly logits: string },
  scale = 1,
): Graph {
  const at = graph.nodes.findIndex(({ op }) => op === 'global-average-pool' || op === 'pool');
  const pooling = graph.nodes[at]!;
  const last = graph.nodes.find(({ inputs }) => inputs.includes(pooling.output)) as
    | Conv2d
    | Extract<Node, { op: 'fully-connected' }>;
  const scaled = (values: Float32Array) => values.map((value) => scale * value);
  const nodes: Node[] = [
    ...graph.nodes.slice(0, at),
    { op: 'global-average-pool', name: pool, inputs: pooling.inputs, output: pool },
    {
      ...{ op: 'fully-connected', name: logits, inputs: [pool], output: logits, activation: 'none', outFeatures: 1001 },
      weights: scaled(last.weights),
      bias: last.bias && scaled(last.bias),
    },
  ];
  return { ...graph, nodes, outputs: [{ name: logits, tensor: logits }] };
}
