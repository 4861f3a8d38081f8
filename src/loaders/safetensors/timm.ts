/**
 * Names of timm's MobileNets. From huggingface/pytorch-image-models: `_efficientnet_blocks.py` at commit 01419346
 * (ConvBnAct, DepthwiseSeparableConv, InvertedResidual, EdgeResidual, UniversalInvertedResidual), `mobilenetv3.py` at
 * 8bdeeeab (V3, V4), `efficientnet.py` (`_gen_mobilenet_v1`, `_gen_mobilenet_v2`), all in timm/models.
 */
import { blockOf, type Module, moduleAt, type Naming, type Network } from './names.ts';

type Parts = Readonly<Record<string, readonly [weights: string, norm: string]>>;

const separable: Parts = {
  depthwise: ['conv_dw', 'bn1'],
  pointwise: ['conv_pw', 'bn2'],
  project: ['conv_pw', 'bn2'],
};
const inverted: Parts = {
  expand: ['conv_pw', 'bn1'],
  depthwise: ['conv_dw', 'bn2'],
  project: ['conv_pwl', 'bn3'],
};
const squeezeExcite: Parts = {
  'squeeze-excite/reduce': ['se.conv_reduce', ''],
  'squeeze-excite/expand': ['se.conv_expand', ''],
};
const edge: Parts = { expand: ['conv_exp', 'bn1'], project: ['conv_pwl', 'bn2'] };
const universal: Parts = {
  '': ['conv', 'bn1'],
  start: ['dw_start.conv', 'dw_start.bn'],
  expand: ['pw_exp.conv', 'pw_exp.bn'],
  depthwise: ['dw_mid.conv', 'dw_mid.bn'],
  project: ['pw_proj.conv', 'pw_proj.bn'],
};

/** Blocks of each stage. */
const stages = {
  1: [1, 2, 2, 6, 2],
  'small 3': [1, 2, 3, 2, 3],
  'large 3': [1, 2, 3, 4, 2, 3],
  'small 4': [2, 2, 6, 6, 1],
  'medium 4': [1, 2, 8, 11, 1],
  'large 4': [1, 2, 11, 13, 1],
} as const;

/** Null where the names are not timm's. */
export function timmNaming(names: ReadonlySet<string>): Naming | null {
  const network = networkOf(names);
  if (!network) return null;
  const { version } = network;
  const repeats = depthsOf(network);
  const places = repeats.flatMap((count, stage) => Array.from({ length: count }, (_, i) => `blocks.${stage}.${i}.`));
  const outside: Readonly<Record<string, Module>> = {
    stem: moduleAt('', 'conv_stem', 'bn1'),
    last: moduleAt(`blocks.${repeats.length}.0.`, 'conv', 'bn1'),
    head: moduleAt('', 'conv_head', version === 4 ? 'norm_head' : 'bn2'),
    classifier: moduleAt('', 'classifier', ''),
  };
  return {
    library: 'timm',
    network,
    moduleOf(layer) {
      const place = blockOf(layer);
      if (!place) return outside[layer];
      const { block, part } = place;
      const own = partsOf(network, block)[part];
      return own && moduleAt(places[block - 1]!, ...own);
    },
  };
}

function depthsOf(network: Network): readonly number[] {
  switch (network.version) {
    case 1:
      return stages[1];
    case 2:
      return network.depths!;
    case 3:
      return stages[`${network.size} 3`];
    case 4:
      return stages[`${network.size} 4`];
  }
}

/** Blocks of V2's seven stages, which the deeper variants (`mobilenetv2_110d`, `mobilenetv2_120d`) have more of. */
function countedDepths(names: ReadonlySet<string>): number[] {
  const blocks = new Set([...names].map((name) => /^blocks\.\d+\.\d+\./.exec(name)?.[0]));
  return Array.from({ length: 7 }, (_, stage) => {
    let count = 1;
    while (blocks.has(`blocks.${stage}.${count}.`)) count++;
    return count;
  });
}

function partsOf(network: Network, block: number): Parts {
  if (network.version === 4) return network.size !== 'small' && block === 1 ? edge : universal;
  return { ...(network.version === 1 || block === 1 ? separable : inverted), ...squeezeExcite };
}

function networkOf(names: ReadonlySet<string>): Network | null {
  if (!names.has('conv_stem.weight')) return null;
  if (names.has('norm_head.weight')) {
    if (!names.has('blocks.0.0.conv_exp.weight')) return { version: 4, size: 'small' };
    return { version: 4, size: names.has('blocks.2.10.pw_exp.conv.weight') ? 'large' : 'medium' };
  }
  const minimalistic = ![...names].some((name) => name.includes('.se.'));
  if (names.has('blocks.6.0.conv.weight')) return { version: 3, size: 'large', minimalistic };
  if (names.has('blocks.5.0.conv.weight')) return { version: 3, size: 'small', minimalistic };
  if (names.has('blocks.6.0.conv_pwl.weight')) return { version: 2, depths: countedDepths(names) };
  return names.has('blocks.4.1.conv_pw.weight') ? { version: 1 } : null;
}
