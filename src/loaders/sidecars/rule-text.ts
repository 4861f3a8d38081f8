/** Picture rules as people write them: `mean=0.485/0.456/0.406,std=0.229/0.224/0.225,resize=256,crop=224,filter=bicubic`. */
import { UsageError } from '../../errors.ts';
import type { ImageRule } from '../../graph/graph.ts';
import { coloursOf, plainImage } from '../../graph/image-rule.ts';
import type { Shape } from '../../graph/ops.ts';
import { isRecord, shown } from '../core/json.ts';
import { pictureRule } from './config.ts';

const words = {
  filter: ['bilinear', 'bicubic'],
  fit: ['crop', 'stretch', 'letterbox'],
  channels: ['rgb', 'bgr', 'grey'],
  corners: ['half-pixel', 'align'],
  antialias: ['true', 'false'],
} as const;
const keys = ['mean', 'std', 'white', 'resize', 'crop', ...Object.keys(words)];

/** The help of such a rule. */
export const ruleHelp = `mean=0.485/0.456/0.406,std=0.229/0.224/0.225,resize=256,crop=224,filter=bicubic
  mean, std    (pixel − mean) / std, one number or one a channel; pixels from 0 to 1, or to what white= says
  resize=256   the short side, and of that the centre, as large as the input; resize=224x224 squashes
  crop=224     pixels of the centre after resize, or without it a share of the short side: crop=0.875
  filter       ${words.filter.join(' or ')}; antialias=${words.antialias.join(' or ')}; corners=${words.corners.join(' or ')}
  fit          ${words.fit.join(', ')}; channels=${words.channels.join(', ')}
A file: the same keys in JSON, or a config.json or preprocessor_config.json.`;

/**
 * The rule for an input of this shape, which must be a picture of one or three channels. `text` is a list of keys and
 * values, or JSON with the same keys, or what config.json of timm or preprocessor_config.json holds. What is not said is
 * `plainImage`'s. Throws `UsageError`.
 */
export function parseImageRule(text: string, [, height, width, channels]: Shape): ImageRule {
  const said = entriesOf(text);
  if (said instanceof Map) return ruleOf(said, [height, width], channels);
  const rule = pictureRule(said);
  if (!rule) throw new UsageError(`the picture rule ${shown(said)} has neither ${keys.join(', ')} nor a known form`);
  return rule;
}

/** Values by their keys, as text, or the JSON that has none of the keys. */
function entriesOf(text: string): Map<string, string> | unknown {
  if (!text.trimStart().startsWith('{')) {
    const pairs = text.split(',').map((part): [string, string] => {
      const at = part.indexOf('=');
      if (at < 1) throw new UsageError(`the picture rule has "${part.slice(0, 60)}", expected key=value`);
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    });
    return new Map(pairs);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the picture rule is no sound JSON: ${(error as Error).message}`);
  }
  const own = isRecord(json) && Object.keys(json).every((key) => keys.includes(key));
  if (!own) return json;
  const textOf = (value: unknown) => (Array.isArray(value) ? value.join('/') : String(value));
  return new Map(Object.entries(json as object).map(([key, value]) => [key, textOf(value)]));
}

function ruleOf(said: ReadonlyMap<string, string>, size: readonly [number, number], channels: number): ImageRule {
  const unknown = [...said.keys()].find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw new UsageError(`the picture rule has "${unknown.slice(0, 60)}", expected ${keys.join(', ')}`);
  }
  const fail = (key: string, expected: string): never => {
    throw new UsageError(`the picture rule has ${key}=${said.get(key)}, expected ${expected}`);
  };
  const word = <K extends keyof typeof words>(key: K) => {
    const value = said.get(key);
    const known = (words[key] as readonly string[]).find((each) => each === value);
    if (value !== undefined && known === undefined) fail(key, words[key].join(' or '));
    return known as (typeof words)[K][number] | undefined;
  };
  const numbers = (key: string, otherwise: number): number[] => {
    const values = (said.get(key) ?? String(otherwise)).split('/').map((value) => (value === '' ? Number.NaN : +value));
    if (!values.every(Number.isFinite) || ![1, channels].includes(values.length)) {
      fail(key, `a number, or ${channels} with / between them`);
    }
    return values;
  };
  const [mean, std, [white]] = [numbers('mean', 0), numbers('std', 1), numbers('white', 1)];
  if (!std.every((value) => value > 0)) fail('std', 'numbers above 0');
  if (!(white! > 0)) fail('white', 'a number above 0');
  const count = Math.max(mean.length, std.length);
  const at = (values: readonly number[], i: number) => values[values.length === 1 ? 0 : i]!;
  const each = (value: (i: number) => number) => Array.from({ length: count }, (_, i) => value(i));
  const sized = sizing(said, size, fail);
  const fit = word('fit') ?? sized.fit;
  const antialias = word('antialias');
  return {
    ...plainImage,
    fit,
    cropFraction: fit === 'crop' ? sized.cropFraction : 1,
    filter: word('filter') ?? plainImage.filter,
    corners: word('corners') ?? plainImage.corners,
    antialias: antialias === undefined ? plainImage.antialias : antialias === 'true',
    channels: word('channels') ?? coloursOf(channels),
    scale: each((i) => white! / (255 * at(std, i))),
    offset: each((i) => -at(mean, i) / at(std, i)),
  };
}

/** What `resize` and `crop` say of the fit. */
function sizing(
  said: ReadonlyMap<string, string>,
  [height, width]: readonly [number, number],
  fail: (key: string, expected: string) => never,
): Pick<ImageRule, 'fit' | 'cropFraction'> {
  const [resize, crop] = [said.get('resize'), said.get('crop')];
  const whole = (text: string) => (/^\d{1,5}$/.test(text) && Number(text) > 0 ? Number(text) : Number.NaN);
  const sides = resize?.split('x').map(whole) ?? [];
  if (sides.length > 2 || sides.some(Number.isNaN)) fail('resize', 'a whole number, or two: 256, 224x224');
  if (sides.length === 2) {
    if (sides[0] !== height || sides[1] !== width) fail('resize', `the input's ${height}x${width}`);
    if (crop !== undefined) fail('crop', 'none where resize squashes');
    return { fit: 'stretch', cropFraction: 1 };
  }
  const share = crop === undefined ? Number.NaN : Number(crop);
  if (resize === undefined) {
    if (crop === undefined) return { fit: 'stretch', cropFraction: 1 };
    if (!(share > 0 && share <= 1)) fail('crop', 'a share of the short side up to 1, or a resize beside it');
    return { fit: 'crop', cropFraction: share };
  }
  if (height !== width) fail('resize', `${height}x${width}: the input is no square`);
  if (crop !== undefined && whole(crop) !== height) fail('crop', `the input's side, ${height}`);
  if (sides[0]! < height) fail('resize', `at least the input's side, ${height}`);
  return { fit: 'crop', cropFraction: height / sides[0]! };
}
