import { layerCosts } from '../../src/analysis/index.ts';
import type { LayerCost, Model, Node, Shape } from '../../src/index.ts';
import { shapeText } from '../ui/format.ts';

/** What a layer is, as the page colours it. */
export type Kind = 'normal' | 'depthwise' | 'pointwise' | 'grouped' | 'fused' | 'dense' | 'pool' | 'other';

export const kindNames: Readonly<Record<Kind, string>> = {
  normal: 'Normal convolution',
  depthwise: 'Depthwise convolution',
  pointwise: 'Pointwise convolution',
  grouped: 'Grouped convolution',
  fused: 'Fused block',
  dense: 'Fully connected',
  pool: 'Pooling',
  other: 'Elementwise and other',
};

/** A layer of the network that runs, with what is drawn and said of it. */
export interface Block {
  readonly name: string;
  readonly kind: Kind;
  /** "3 × 3, stride 2, relu6". */
  readonly description: string;
  readonly input: Shape;
  readonly output: Shape;
  readonly macs: number;
  readonly parameters: number;
  /** Read and written, weights too, as float32. */
  readonly bytes: number;
  /** Index of the block whose output is added to this one's, or null. */
  readonly addsFrom: number | null;
}

/** The layers after the passes, in the order in which they run. */
export function blocksOf({ prepared }: Model): Block[] {
  const shapes = new Map<string, Shape>(prepared.inputs.map(({ name, shape }) => [name, shape]));
  const producers = new Map<string, number>();
  const costs = new Map(layerCosts(prepared).map((cost) => [cost.name, cost]));
  return prepared.nodes.map((node, i) => {
    const cost = costs.get(node.name)!;
    const { kind, multiplications: macs, parameters, shape: output } = cost;
    const input = shapes.get(node.inputs[0]!)!;
    const residual = node.op === 'conv2d' || node.op === 'add' ? node.inputs[1] : undefined;
    const block: Block = {
      name: node.name,
      kind: kindOf(node, kind),
      description: describe(node),
      input,
      output,
      macs,
      parameters,
      bytes: cost.inputBytes + cost.outputBytes + cost.weightBytes,
      addsFrom: residual === undefined ? null : (producers.get(residual) ?? null),
    };
    shapes.set(node.output, output);
    producers.set(node.output, i);
    return block;
  });
}

function kindOf({ op }: Node, kind: LayerCost['kind']): Kind {
  if (op === 'fused') return 'fused';
  if (op === 'pool' || op === 'global-average-pool') return 'pool';
  if (kind === 'transposed') return 'normal';
  return kind === 'fully-connected' ? 'dense' : kind;
}

function describe(node: Node): string {
  const parts: string[] = [];
  switch (node.op) {
    case 'conv2d':
    case 'conv-transpose2d':
      if (node.op === 'conv-transpose2d') parts.push('transposed');
      parts.push(
        node.kernel.join(' × '),
        `stride ${node.stride[0] === node.stride[1] ? node.stride[0] : node.stride.join(' × ')}`,
      );
      if (node.dilation.some((step) => step > 1)) parts.push(`dilation ${node.dilation.join(' × ')}`);
      if (node.inputs[1] !== undefined) parts.push('adds the residual');
      break;
    case 'pool':
      parts.push(`${node.kind} over ${node.kernel.join(' × ')}`);
      break;
    case 'resize':
      parts.push(`${node.mode} to ${node.size.join(' × ')}`);
      break;
    case 'reshape':
      parts.push(`reshape to ${shapeText(node.shape)}`);
      break;
    case 'fully-connected':
      break;
    case 'fused':
      parts.push(node.parts.map(describe).join(' → '));
      break;
    case 'activation':
      parts.push(node.activation);
      return parts.join(', ');
    default:
      parts.push(node.op.replaceAll('-', ' '));
  }
  if ('activation' in node && node.activation !== 'none') parts.push(node.activation);
  return parts.join(', ');
}
