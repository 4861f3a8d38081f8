/** The picture rule of families of classifiers, where a file says nothing of it but is named as one of them; fetched for such files. */
import { classesOf } from '../../graph/classes.ts';
import type { Graph, ImageRule } from '../../graph/graph.ts';
import { type ImagePreset, presets } from '../../graph/image-presets.ts';
import { plainImage } from '../../graph/image-rule.ts';
import type { ModelFiles } from '../model-files.ts';

interface Family {
  /** Whose networks these are, as the assumption names them. */
  readonly of: string;
  /** A name that such a file has. */
  readonly name: RegExp;
  readonly preset: ImagePreset;
  /** What the network takes where it computes with the pixels itself before its first layer; not known unless given. */
  readonly scaling?: 'preset' | 'pixels';
}

/**
 * In the order in which they are tried. `module_apply_default` is what a module of TensorFlow Hub is called by;
 * `mobilenetv2_1.00_224` and `MobilenetV3large` are models of keras.applications, of which V3 scales pixels in the network; `MobilenetV1/…/Conv2d_0` are scopes of TF-Slim,
 * whose pictures are −1 … 1 as well; GluonCV normalises as torchvision does, and timm's and torchvision's modules have
 * the names of their weights (src/loaders/safetensors).
 */
const families: readonly Family[] = [
  {
    of: 'TensorFlow Hub',
    name: /(^|\/)module_apply_default\/(hub_input\/|MobilenetV\d)/,
    preset: 'zeroToOne',
    scaling: 'preset',
  },
  {
    of: 'keras.applications',
    name: /(^|\/)(mobilenet(v2)?_\d\.\d\d_\d{2,3}|MobileNetV3(small|large))(\/|$)/i,
    preset: 'keras',
    scaling: 'pixels',
  },
  { of: 'TF-Slim', name: /^MobilenetV[123]\/(MobilenetV1\/Conv2d_0|Conv)\//, preset: 'keras' },
  { of: 'torchvision', name: /(^|\/)features\.1[./](conv|block)[./]/, preset: 'torchvision' },
  { of: 'GluonCV', name: /^mobilenetv?[\d.]+_features_conv0_weight$/, preset: 'torchvision' },
  { of: 'timm', name: /(^|\/)blocks\.0\.0[./]+(conv|conv_dw|conv_exp|dw_start[./]conv)([./]|$)/, preset: 'timm' },
];

/** What may stand between a picture and the first layer: whatever else does computes with pixels itself. */
const moves: ReadonlySet<string> = new Set(['conv2d', 'pad', 'transpose', 'reshape']);

/**
 * The graph with the rule of the family that `names` tell, of nodes, weights or layers, said as an assumption. As it is where
 * it has a rule, a file beside it may have one, it classifies no pictures of three colours, or the names tell nothing.
 */
export function withFamily(files: ModelFiles, graph: Graph, names: Iterable<string>): Graph {
  const [input, ...others] = graph.inputs;
  const said = files.beside?.some((name) => name === 'preprocessor_config.json' || name === 'config.json');
  if (graph.image || said || !input || others.length > 0 || input.shape[3] !== 3 || classesOf(graph) === null)
    return graph;
  const all = [...names];
  const family = families.find(({ name }) => all.some((one) => name.test(one)));
  if (!family) return graph;
  const scalesItself = graph.nodes.some(({ op, inputs }) => inputs.includes(input.name) && !moves.has(op));
  if (scalesItself && !family.scaling) return graph;
  const asTheyAre = scalesItself && family.scaling === 'pixels';
  const image: ImageRule = { ...plainImage, ...(asTheyAre ? {} : presets[family.preset]) };
  const how = asTheyAre ? 'the whole picture, squashed, its pixels as they are' : `image: '${family.preset}'`;
  const assumption = `pictures become the input as for ${family.of}, whose names the file has (${how}): it does not say how`;
  return { ...graph, image, assumptions: [...(graph.assumptions ?? []), assumption] };
}
