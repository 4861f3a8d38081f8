/**
 * Architectures as timm, torchvision and transformers would save them. Modules are listed in the order of each library's
 * own definition (sources in src/loaders/safetensors/) and dealt out to the graph's layers in order, so that names
 * owe nothing to the loader's.
 */
import type { PaddingRule } from '../../src/architectures/weights.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { BatchNorm, Conv2d, FullyConnected, Node } from '../../src/graph/ops.ts';

/** A convolution or linear layer, and the batch-norm behind it. */
type Module = readonly [weights: string, norm?: string];

export interface StateTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export type State = Map<string, StateTensor>;

const separable = (se: boolean): Module[] => [
  ['conv_dw', 'bn1'],
  ...(se ? [['se.conv_reduce'] as const, ['se.conv_expand'] as const] : []),
  ['conv_pw', 'bn2'],
];
const inverted = (se: boolean): Module[] => [
  ['conv_pw', 'bn1'],
  ['conv_dw', 'bn2'],
  ...(se ? [['se.conv_reduce'] as const, ['se.conv_expand'] as const] : []),
  ['conv_pwl', 'bn3'],
];
const universal = (start: boolean, middle: boolean): Module[] => [
  ...(start ? [['dw_start.conv', 'dw_start.bn'] as const] : []),
  ['pw_exp.conv', 'pw_exp.bn'],
  ...(middle ? [['dw_mid.conv', 'dw_mid.bn'] as const] : []),
  ['pw_proj.conv', 'pw_proj.bn'],
];
/** By the names of timm's own block strings: a `u` with its kernels of start and middle. */
const blocks: Readonly<Record<string, Module[]>> = {
  dsa: separable(false),
  ds: separable(false),
  'ds+se': separable(true),
  ir: inverted(false),
  'ir+se': inverted(true),
  cn: [['conv', 'bn1']],
  er: [
    ['conv_exp', 'bn1'],
    ['conv_pwl', 'bn2'],
  ],
  'u-start': universal(true, false),
  'u-middle': universal(false, true),
  'u-both': universal(true, true),
  'u-none': universal(false, false),
};

const repeat = (block: string, count: number): string[] => new Array<string>(count).fill(block);

const timmStages: Readonly<Record<string, readonly (readonly string[])[]>> = {
  v1: [repeat('dsa', 1), repeat('dsa', 2), repeat('dsa', 2), repeat('dsa', 6), repeat('dsa', 2)],
  v2: [['ds'], ...[2, 3, 4, 3, 3, 1].map((count) => repeat('ir', count))],
  // mobilenetv2_110d: repeats · 1.2, rounded up, but for the first and the last.
  'v2-110d': [['ds'], ...[3, 4, 5, 4, 4, 1].map((count) => repeat('ir', count))],
  'v3-large': [
    ['ds'],
    repeat('ir', 2),
    repeat('ir+se', 3),
    repeat('ir', 4),
    repeat('ir+se', 2),
    repeat('ir+se', 3),
    ['cn'],
  ],
  'v3-small': [['ds+se'], repeat('ir', 2), repeat('ir+se', 3), repeat('ir+se', 2), repeat('ir+se', 3), ['cn']],
  'v3-large-minimalistic': [['ds'], ...[2, 3, 4, 2, 3].map((count) => repeat('ir', count)), ['cn']],
  'v4-conv-small': [
    ['cn', 'cn'],
    ['cn', 'cn'],
    ['u-both', ...repeat('u-middle', 4), 'u-start'],
    ['u-both', 'u-both', ...repeat('u-middle', 4)],
    ['cn'],
  ],
  'v4-conv-medium': [
    ['er'],
    ['u-both', 'u-both'],
    [...repeat('u-both', 5), 'u-start', 'u-none', 'u-start'],
    [...repeat('u-both', 4), 'u-none', 'u-start', 'u-both', 'u-both', 'u-none', 'u-none', 'u-start'],
    ['cn'],
  ],
  'v4-conv-large': [
    ['er'],
    ['u-both', 'u-both'],
    [...repeat('u-both', 10), 'u-start'],
    [
      ...[...repeat('u-both', 4), 'u-start', 'u-both', 'u-start', 'u-start', 'u-both', 'u-both'],
      ...repeat('u-start', 3),
    ],
    ['cn'],
  ],
};

const under = (prefix: string, modules: readonly Module[]): Module[] =>
  modules.map(([weights, norm]) => (norm ? [prefix + weights, prefix + norm] : [prefix + weights]));

function timmModules(network: string): Module[] {
  const stages = timmStages[network]!.flatMap((stage, s) =>
    stage.flatMap((block, b) => under(`blocks.${s}.${b}.`, blocks[block]!)),
  );
  const heads: Readonly<Record<string, Module[]>> = {
    '1': [],
    '2': [['conv_head', 'bn2']],
    '3': [['conv_head']],
    '4': [['conv_head', 'norm_head']],
  };
  return [['conv_stem', 'bn1'], ...stages, ...heads[network[1]!]!, ['classifier']];
}

function torchvisionModules(network: string): Module[] {
  const pair = (prefix: string): Module => [`${prefix}.0`, `${prefix}.1`];
  if (network === 'v2') {
    const rest = Array.from({ length: 16 }, (_, i) => i + 2).flatMap((i): Module[] => {
      const conv = `features.${i}.conv`;
      return [pair(`${conv}.0`), pair(`${conv}.1`), [`${conv}.2`, `${conv}.3`]];
    });
    return [
      pair('features.0'),
      pair('features.1.conv.0'),
      ['features.1.conv.1', 'features.1.conv.2'],
      ...rest,
      pair('features.18'),
      ['classifier.1'],
    ];
  }
  // Whether a row of torchvision's table has squeeze-and-excitation.
  const squeezes = network === 'v3-large' ? '000111000011111' : '10011111111';
  const rows = [...squeezes].flatMap((squeeze, i): Module[] => {
    let at = 0;
    const block = `features.${i + 1}.block`;
    return [
      ...(i > 0 ? [pair(`${block}.${at++}`)] : []),
      pair(`${block}.${at++}`),
      ...(squeeze === '1' ? [[`${block}.${at}.fc1`] as const, [`${block}.${at++}.fc2`] as const] : []),
      pair(`${block}.${at}`),
    ];
  });
  return [pair('features.0'), ...rows, pair(`features.${squeezes.length + 1}`), ['classifier.0'], ['classifier.3']];
}

function transformersModules(network: string): Module[] {
  const layer = (path: string): Module => [
    `mobilenet_${network}.${path}.convolution`,
    `mobilenet_${network}.${path}.normalization`,
  ];
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => `layer.${i}`);
  const paths =
    network === 'v1'
      ? ['conv_stem', ...numbers(26)]
      : [
          ...['first_conv', 'conv_3x3', 'reduce_1x1'].map((part) => `conv_stem.${part}`),
          ...numbers(16).flatMap((path) => ['expand_1x1', 'conv_3x3', 'reduce_1x1'].map((part) => `${path}.${part}`)),
          'conv_1x1',
        ];
  return [...paths.map(layer), ['classifier']];
}

export type Library = 'timm' | 'torchvision' | 'transformers';

const modulesOf = { timm: timmModules, torchvision: torchvisionModules, transformers: transformersModules };

/** `network`: an architecture id without α and size. */
export function stateOf(graph: Graph, network: string, library: Library): State {
  const modules = [...modulesOf[library](network)];
  const state: State = new Map();
  let norm: string | undefined;
  for (const node of graph.nodes) {
    if (node.op === 'conv2d' || node.op === 'fully-connected') {
      const module = modules.shift();
      if (!module) throw new Error(`${library}'s ${network} has no module for ${node.name}`);
      norm = module[1];
      // torchvision's V3 has a linear layer where the paper has a 1×1 convolution.
      const linear = node.op === 'fully-connected' || module[0].startsWith('classifier');
      state.set(`${module[0]}.weight`, float32(...outputsFirst(node, linear)));
      if (node.bias) state.set(`${module[0]}.bias`, float32([node.bias.length], node.bias));
    } else if (node.op === 'batch-norm') {
      const fields = { weight: 'scale', bias: 'shift', running_mean: 'mean', running_var: 'variance' } as const;
      for (const [name, field] of Object.entries(fields)) {
        state.set(`${norm}.${name}`, float32([node[field].length], (node as BatchNorm)[field]));
      }
      state.set(`${norm}.num_batches_tracked`, { dtype: 'I64', shape: [], bytes: new Uint8Array(8) });
    }
  }
  if (modules.length > 0) throw new Error(`${library}'s ${network} has ${modules.length} modules too many`);
  return state;
}

const float32 = (shape: readonly number[], values: Float32Array): StateTensor => ({
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(values.slice().buffer),
});

/** PyTorch's `[outputs][inputs][height][width]` or `[outputs][inputs]`. */
function outputsFirst(node: Conv2d | FullyConnected, linear: boolean): [number[], Float32Array] {
  const outputs = node.op === 'conv2d' ? node.outChannels : node.outFeatures;
  const kernel = node.op === 'conv2d' ? node.kernel : [1, 1];
  const taps = kernel[0]! * kernel[1]!;
  const inputs = node.weights.length / (taps * outputs);
  const values = new Float32Array(node.weights.length);
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        values[(o * inputs + i) * taps + tap] = node.weights[(tap * inputs + i) * outputs + o]!;
      }
    }
  }
  return [linear ? [outputs, inputs] : [outputs, inputs, ...kernel], values];
}

/** The same network, padded as PyTorch does where `padding` says so, with another batch-norm epsilon. */
export function withRules(graph: Graph, padding: PaddingRule, epsilon: number): Graph {
  const nodes = graph.nodes.map((node): Node => {
    if (node.op === 'batch-norm') return { ...node, epsilon };
    if (node.op !== 'conv2d' || padding === 'same') return node;
    const side = (node.kernel[0] - 1) / 2;
    return { ...node, padding: { top: side, left: side, bottom: side, right: side } };
  });
  return { ...graph, nodes };
}

/** A safetensors file of these tensors, in the order given. */
export function writeState(state: State, metadata?: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = [...state].map(([name, { dtype, shape, bytes }]): [string, unknown] => {
    const begin = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const header = Object.fromEntries([...(metadata ? [['__metadata__', metadata] as const] : []), ...entries]);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let at = 8 + text.length;
  for (const { bytes } of state.values()) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
