/** config.json (timm, transformers) and preprocessor_config.json (transformers) beside a safetensors file. */
import type { PaddingRule } from '../../architectures/weights.ts';
import { ModelFormatError } from '../../errors.ts';
import type { ImageRule } from '../../graph/graph.ts';
import { plainImage } from '../../graph/image-rule.ts';
import { field, isRecord, shown } from '../core/json.ts';
import type { ModelFiles } from '../model-files.ts';
import type { Naming } from '../safetensors/names.ts';
import { jsonBeside } from './json-beside.ts';

export interface SafetensorsConfig {
  readonly padding: PaddingRule;
  /** Of the batch-norms. */
  readonly epsilon: number;
  /** Side of the input in pixels. */
  readonly size?: number | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly image?: ImageRule | undefined;
  /** What nothing says, a sentence each. */
  readonly assumptions?: readonly string[];
}

/** The names of classes in a configuration of timm or transformers; undefined where it lists none. */
export function classNames(config: unknown): readonly string[] | undefined {
  const nested = field(config, 'pretrained_cfg');
  const names = labelNames(config, isRecord(nested) ? nested : config) ?? idLabels(field(config, 'id2label'));
  return names?.every((name) => typeof name === 'string') ? names : undefined;
}

/** How timm's config.json or a preprocessor_config.json has pictures prepared; undefined where it does not say. */
export function pictureRule(config: unknown): ImageRule | undefined {
  const nested = field(config, 'pretrained_cfg');
  return timmImage(isRecord(nested) ? nested : config) ?? transformersImage(config);
}

const maxSize = 4096;

/**
 * What the library does with a network of these names, corrected by what its configuration says. Throws
 * `ModelFormatError` where the configuration is damaged, of another network, or asks for what is not run.
 */
export async function readConfig(
  files: ModelFiles,
  naming: Naming,
  classes: number,
  signal: AbortSignal | undefined,
): Promise<SafetensorsConfig> {
  const config = await jsonBeside(files, 'config.json', signal);
  switch (naming.library) {
    case 'timm':
      return timmConfig(naming, config, classes);
    case 'torchvision':
      // No configuration: nn.BatchNorm2d's 1e-5 in mobilenetv2.py, eps=0.001 in mobilenetv3.py.
      return { padding: 'symmetric', epsilon: naming.network.version === 3 ? 1e-3 : 1e-5 };
    case 'transformers': {
      const preprocessor = config && (await jsonBeside(files, 'preprocessor_config.json', signal));
      return transformersConfig(naming, config, preprocessor, classes);
    }
  }
}

const fail = (message: string, file = 'config.json'): never => {
  throw new ModelFormatError(file, message);
};

/** Those that are what their tensors say: one with blur pools, for example, has the tensors of one without. */
const timmArchitectures = {
  1: /^mobilenetv1_\d+$/,
  2: /^mobilenetv2_\d+d?$/,
  3: /^(tf_)?mobilenetv3_(small|large)(_minimal)?_\d+$/,
  4: /^mobilenetv4_conv_(small|medium|large)(_\d+)?$/,
} as const;

function timmConfig({ network }: Naming, config: unknown, classes: number): SafetensorsConfig {
  const architecture = field(config, 'architecture');
  if (typeof architecture !== 'string') {
    // timm has the minimalistic V3 only with TensorFlow's weights.
    const tensorFlow = network.version === 3 && network.minimalistic;
    const assumed = (padding: string, epsilon: number, names: string) =>
      `config.json is not beside it: padding is taken as ${padding} and the batch-norm epsilon as ${epsilon}, as in ` +
      `timm's networks ${names} "tf_"; blur pooling ("_aa", "_blur") would leave no trace in the weights`;
    return tensorFlow
      ? { padding: 'same', epsilon: 1e-3, assumptions: [assumed("TensorFlow's", 1e-3, 'with')] }
      : { padding: 'symmetric', epsilon: 1e-5, assumptions: [assumed('symmetric', 1e-5, 'without')] };
  }
  if (!timmArchitectures[network.version].test(architecture)) {
    fail(
      `is of the architecture ${shown(architecture)}, and the tensors are read as a MobileNetV${network.version}'s; ` +
        'blurred, hybrid and other variants are not run',
    );
  }
  const tensorFlow = architecture.startsWith('tf_');
  const nested = field(config, 'pretrained_cfg');
  const rule = isRecord(nested) ? nested : config;
  const size = field(rule, 'input_size');
  const side = Array.isArray(size) ? size[1] : undefined;
  if (side !== undefined) checkSize(side, 'input_size');
  return {
    padding: tensorFlow ? 'same' : 'symmetric',
    epsilon: tensorFlow ? 1e-3 : 1e-5,
    size: side,
    labels: checkLabels(labelNames(config, rule), classes, 'label_names'),
    image: timmImage(rule),
  };
}

function labelNames(config: unknown, rule: unknown): readonly unknown[] | undefined {
  const names = field(rule, 'label_names') ?? field(config, 'label_names');
  if (!Array.isArray(names)) return undefined;
  const descriptions = field(rule, 'label_descriptions') ?? field(config, 'label_descriptions');
  return names.map((name) => field(descriptions, String(name)) ?? name);
}

/** As timm/data/transforms_factory.py prepares a picture: the short side to size / crop_pct, the centre, mean and std. */
function timmImage(rule: unknown): ImageRule | undefined {
  const [mean, std, crop] = [field(rule, 'mean'), field(rule, 'std'), field(rule, 'crop_pct')];
  const interpolation = field(rule, 'interpolation');
  const mode = field(rule, 'crop_mode') ?? 'center';
  const known = interpolation === 'bilinear' || interpolation === 'bicubic';
  if (!isFraction(crop) || !known || !(mode === 'center' || (mode === 'squash' && crop === 1))) return undefined;
  const values = normalisation(mean, std, 255);
  return (
    values && {
      ...plainImage,
      fit: mode === 'squash' ? 'stretch' : 'crop',
      cropFraction: crop,
      filter: interpolation,
      ...values,
    }
  );
}

function transformersConfig(
  { network }: Naming,
  config: unknown,
  preprocessor: unknown,
  classes: number,
): SafetensorsConfig {
  if (!isRecord(config)) {
    const assumed =
      "config.json is not beside it: padding is taken as TensorFlow's and the batch-norm epsilon as 0.001, as transformers " +
      'has them by default';
    return { padding: 'same', epsilon: 1e-3, assumptions: [assumed] };
  }
  const type = field(config, 'model_type');
  if (type !== undefined && type !== `mobilenet_v${network.version}`) {
    fail(`is of the model_type ${shown(type)}, and the tensors are a MobileNetV${network.version}'s`);
  }
  const expect = (key: string, wanted: unknown) => {
    const value = field(config, key);
    if (value !== undefined && value !== wanted) fail(`has ${key} ${shown(value)}, expected ${shown(wanted)}`);
  };
  expect('hidden_act', 'relu6');
  if (network.version === 2) {
    expect('first_layer_is_expansion', true);
    expect('output_stride', 32);
  }
  const padding = field(config, 'tf_padding') ?? true;
  if (typeof padding !== 'boolean') fail(`has tf_padding ${shown(padding)}, expected true or false`);
  const epsilon = field(config, 'layer_norm_eps') ?? 1e-3;
  if (!(typeof epsilon === 'number' && epsilon >= 0 && epsilon < 1)) {
    return fail(`has layer_norm_eps ${shown(epsilon)}, expected a number from 0 to 1`);
  }
  const size = field(config, 'image_size');
  if (size !== undefined) checkSize(size, 'image_size');
  return {
    padding: padding ? 'same' : 'symmetric',
    epsilon,
    size: size as number | undefined,
    labels: checkLabels(idLabels(field(config, 'id2label')), classes, 'id2label'),
    image: transformersImage(preprocessor),
  };
}

const idLabels = (names: unknown): readonly unknown[] | undefined =>
  isRecord(names) ? Object.keys(names).map((_, i) => field(names, String(i))) : undefined;

/**
 * Short side and centre, or both sides squashed; rescale, mean and std (image_transforms.py, and
 * models/mobilenet_v2/image_processing_mobilenet_v2.py).
 */
function transformersImage(preprocessor: unknown): ImageRule | undefined {
  const on = (key: string) => field(preprocessor, key) !== false;
  const size = field(preprocessor, 'size');
  const crop = field(preprocessor, 'crop_size');
  // PIL's numbers of its filters.
  const filter = ({ 2: 'bilinear', 3: 'bicubic' } as const)[Number(field(preprocessor, 'resample')) as 2 | 3];
  const factor = field(preprocessor, 'rescale_factor');
  const squashes = Number(field(size, 'height')) > 0 && (!isRecord(crop) || !on('do_center_crop'));
  const fraction = squashes ? 1 : Number(field(crop, 'height')) / Number(field(size, 'shortest_edge'));
  if (!on('do_resize') || !on('do_rescale') || !filter || !isFraction(fraction)) return undefined;
  if (!squashes && (!on('do_center_crop') || field(crop, 'width') !== field(crop, 'height'))) return undefined;
  if (!(typeof factor === 'number' && factor > 0)) return undefined;
  const [mean, std] = on('do_normalize')
    ? [field(preprocessor, 'image_mean'), field(preprocessor, 'image_std')]
    : [
        [0, 0, 0],
        [1, 1, 1],
      ];
  const values = normalisation(mean, std, 1 / factor);
  return (
    values && {
      ...plainImage,
      fit: squashes ? 'stretch' : 'crop',
      cropFraction: fraction,
      filter,
      channels: field(preprocessor, 'do_flip_channel_order') === true ? 'bgr' : 'rgb',
      ...values,
    }
  );
}

const isFraction = (value: unknown): value is number => typeof value === 'number' && value > 0 && value <= 1;

/** (pixel / range − mean) / std as scale and offset; undefined where these are no three numbers each. */
function normalisation(mean: unknown, std: unknown, range: number) {
  const sound = (values: unknown, least: number): values is number[] =>
    Array.isArray(values) &&
    values.length === 3 &&
    values.every((value) => typeof value === 'number' && Number.isFinite(value) && value >= least);
  if (!sound(mean, Number.NEGATIVE_INFINITY) || !sound(std, 1e-6)) return undefined;
  return { scale: std.map((value) => 1 / (range * value)), offset: std.map((value, i) => -mean[i]! / value) };
}

function checkSize(size: unknown, key: string): void {
  if (!Number.isSafeInteger(size) || (size as number) < 1 || (size as number) > maxSize) {
    fail(`has ${key} ${shown(size)}, expected a whole number from 1 to ${maxSize}`);
  }
}

function checkLabels(
  labels: readonly unknown[] | undefined,
  classes: number,
  key: string,
): readonly string[] | undefined {
  if (!labels) return undefined;
  if (labels.length !== classes) {
    fail(`names ${labels.length} classes in ${key}, and the classifier has ${classes}: it belongs to another model`);
  }
  const bad = labels.findIndex((label) => typeof label !== 'string');
  if (bad >= 0) fail(`has in ${key} for class ${bad} ${shown(labels[bad])}, expected a name`);
  return labels as readonly string[];
}
