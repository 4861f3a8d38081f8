/**
 * Names of the MobileNets of Hugging Face transformers (google/mobilenet_v1_…, google/mobilenet_v2_…). From
 * huggingface/transformers at commit 05c90388: src/transformers/models/mobilenet_v1/modeling_mobilenet_v1.py and
 * mobilenet_v2/modeling_mobilenet_v2.py.
 */
import { blockOf, type Module, moduleAt, type Naming } from './names.ts';

const layer = (path: string): Module => moduleAt(`${path}.`, 'convolution', 'normalization');
const classifier = moduleAt('', 'classifier', '');

const v1: Naming = {
  library: 'transformers',
  network: { version: 1 },
  moduleOf(name) {
    if (name === 'stem') return layer('mobilenet_v1.conv_stem');
    if (name === 'classifier') return classifier;
    const place = blockOf(name);
    return place ? layer(`mobilenet_v1.layer.${2 * place.block - (place.part === 'depthwise' ? 2 : 1)}`) : undefined;
  },
};

const parts: Readonly<Record<string, string>> = { expand: 'expand_1x1', depthwise: 'conv_3x3', project: 'reduce_1x1' };

const v2: Naming = {
  library: 'transformers',
  network: { version: 2 },
  moduleOf(name) {
    if (name === 'stem') return layer('mobilenet_v2.conv_stem.first_conv');
    if (name === 'head') return layer('mobilenet_v2.conv_1x1');
    if (name === 'classifier') return classifier;
    const place = blockOf(name);
    const part = place && parts[place.part];
    if (!part) return undefined;
    return layer(`mobilenet_v2.${place.block === 1 ? 'conv_stem' : `layer.${place.block - 2}`}.${part}`);
  },
};

/** Null where the names are not those of transformers. */
export function transformersNaming(names: ReadonlySet<string>): Naming | null {
  if (names.has('mobilenet_v1.conv_stem.convolution.weight')) return v1;
  return names.has('mobilenet_v2.conv_stem.first_conv.convolution.weight') ? v2 : null;
}
