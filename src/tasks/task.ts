/** What tasks have in common: a model on a picture, and places on the picture. */
import { InvalidResultError, UsageError } from '../errors.ts';
import type { Decoding, DecodingOf } from '../graph/decoding.ts';
import type { Graph, ImageRule } from '../graph/graph.ts';
import type { Pair } from '../graph/ops.ts';
import type { ImageOption } from '../images/image-option.ts';
import type { OpenPicture, PictureSource } from '../images/picture-source.ts';
import type { Framing } from './mask.ts';
import { type Place, placeOnPicture } from './place.ts';

/** What tasks use of a `Model`. */
export interface TaskModel {
  readonly graph: Graph;
  runPicture(
    picture: PictureSource,
    options: { readonly image?: ImageRule | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<Readonly<Record<string, Float32Array>>>;
}

export interface TaskOptions {
  /** How a picture becomes the input tensor, by name or by what is not as in the file's rule; default: that rule. */
  readonly image?: ImageOption | undefined;
  /** The part of the picture that is looked at, as `ImageRule.region`; places are those of the whole picture all the same. */
  readonly region?: ImageRule['region'] | undefined;
  /** Names of the classes, default: the model's own. */
  readonly labels?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A task as a message names it: what does it, and which networks it takes. */
export interface TaskName {
  readonly model: string;
  readonly takes: string;
}

/** The model's decoding, which is of one of `kinds`. Throws `UsageError`, which says what the network is and what would do. */
export function decodingOf<K extends Decoding['kind']>(
  { name, decoding, outputs }: Graph,
  task: TaskName,
  kinds: readonly K[],
): DecodingOf<K> {
  if (decoding && (kinds as readonly string[]).includes(decoding.kind)) return decoding as DecodingOf<K>;
  const known = outputs.map((output) => `"${output.name}"${output.meaning ? ` (${output.meaning})` : ''}`);
  const own = decoding
    ? `its outputs are decoded as ${decoding.kind}`
    : `its file says of no decoding, and its outputs are ${known.slice(0, 8).join(', ')}${known.length > 8 ? '…' : ''}`;
  throw new UsageError(`${name} is no ${task.model}: ${own}; expected ${task.takes}`);
}

/** Output tensors of a picture, and the way back to it. */
export interface Seen {
  /** Dense NHWC by the outputs' names; none holds a NaN. */
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /** A place on the network's input in pixels of the picture, from its top left. */
  readonly toPixels: (place: Place) => Place;
  readonly framing: Framing;
}

/**
 * Runs the model on the picture. Throws `UsageError` where no rule says how the picture becomes the input, and
 * `InvalidResultError` where an output holds a NaN.
 */
export async function see(model: TaskModel, source: PictureSource, options: TaskOptions): Promise<Seen> {
  const { image, region, signal } = options;
  const { graph } = model;
  const [, height, width, channels] = graph.inputs[0]!.shape;
  // What a model that runs has fetched, too.
  const [{ resolveImage }, { openPicture }] = await Promise.all([
    import('../images/image-option.ts'),
    import('../images/open-picture.ts'),
  ]);
  const whole = await resolveImage(image, graph.image, channels, graph.name);
  const rule = region ? { ...whole, region } : whole;
  const picture = await openPicture(source);
  try {
    // An open picture is one more kind of picture, which callers do not make.
    const outputs = await model.runPicture(picture as PictureSource, { image: rule, signal });
    return { outputs: withoutNaN(graph.name, outputs), ...placing(picture, rule, [height, width]) };
  } finally {
    if (picture !== source && 'close' in picture) picture.close();
  }
}

function withoutNaN(model: string, outputs: Seen['outputs']): Seen['outputs'] {
  for (const [name, values] of Object.entries(outputs)) {
    if (!values.some(Number.isNaN)) continue;
    throw new InvalidResultError(
      `${model}: output "${name}" holds NaN; validate() tells where they come from, and another picture rule than the ` +
        'file is meant for is the usual reason',
    );
  }
  return outputs;
}

function placing({ width, height }: OpenPicture, rule: ImageRule, input: Pair): Pick<Seen, 'toPixels' | 'framing'> {
  const size: Pair = [height, width];
  const toPixels = (place: Place): Place => {
    const { y, x } = placeOnPicture(place, size, rule, input);
    return { y: y * height, x: x * width };
  };
  return { toPixels, framing: { picture: size, rule, input } };
}
