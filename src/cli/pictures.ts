/** What the commands that look at pictures share: their arguments, labels, and the loop over pictures. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { coloursOf, plainImage } from '../graph/image-rule.ts';
import { linesOf } from '../loaders/sidecars/labels.ts';
import { parseImageRule, ruleHelp } from '../loaders/sidecars/rule-text.ts';
import {
  type Device,
  type Graph,
  type ImageRule,
  type LoadOptions,
  load,
  type Model,
  type Picture,
  type Shape,
  UsageError,
} from '../node/index.ts';
import { checkChoice } from './command.ts';
import type { Io } from './io.ts';
import { inputShapeHelp, inputShapesOf, readModel } from './model-argument.ts';

/** Options of every command for pictures, as `parseArgs` takes them. */
const options = {
  model: { type: 'string' },
  labels: { type: 'string' },
  device: { type: 'string', default: 'auto' },
  range: { type: 'string' },
  image: { type: 'string' },
  'input-shape': { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
} as const;

/** The help of those options, behind what a command has of its own (`own`, as in `[--top K]`). */
export const pictureHelp = (
  command: string,
  own: string,
  about: string,
): string => `usage: npm run ${command} -- --model FILE [--labels FILE] [--device auto|webgpu|wasm|reference]
       [--image RULE | --range LOW,HIGH] [--input-shape NAME=SIZES]… ${own} [--json] IMAGE…

${about}
Pictures are JPEG, PNG, WebP or BMP, upright, as their EXIF data say. WebGPU in Node needs the package "webgpu".
--labels names the classes, a line each. One line more or less than the classes is the background: left out or put in.
--image says how a picture becomes the input, in place of what the file says: a rule, or a file with one.
  ${ruleHelp.replaceAll('\n', '\n  ')}
--range is the short form for the whole picture, squashed: what black and white become, -1,1 or 0,1.
${inputShapeHelp}`;

export interface PictureSettings {
  readonly model: string;
  readonly labels: string | undefined;
  readonly device: Device;
  readonly range: readonly [number, number] | null;
  /** A rule, or the name of a file with one. */
  readonly rule: string | null;
  readonly shapes: ReturnType<typeof inputShapesOf>;
  readonly json: boolean;
  readonly images: readonly string[];
}

type OwnOptions = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

/** The arguments of a command: those shared, and the values of `own`. Throws what is wrong with them. */
export function parsePictures<T extends OwnOptions>(
  argv: readonly string[],
  own: T,
): { settings: PictureSettings; values: ReturnType<typeof parseArgs<{ options: T }>>['values'] } {
  const parsed = parseArgs({ args: [...argv], allowPositionals: true, options: { ...options, ...own } });
  // The types of a spread of a type parameter are not worked out.
  const values = parsed.values as ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  const { model, labels, device, json } = values;
  if (!model) throw new UsageError('--model is missing');
  if (parsed.positionals.length === 0) throw new UsageError('expected at least one IMAGE');
  const range = values.range?.split(',').map(Number) ?? null;
  if (range && (range.length !== 2 || !range.every(Number.isFinite) || !(range[0]! < range[1]!))) {
    throw new UsageError(`--range is "${values.range}", expected two numbers such as -1,1`);
  }
  if (range && values.image !== undefined) throw new UsageError('--image and --range say the same: pass one of them');
  const settings: PictureSettings = {
    model,
    labels,
    device: checkChoice({ device }).device,
    range: range as [number, number] | null,
    rule: values.image ?? null,
    shapes: inputShapesOf(values['input-shape']),
    json,
    images: parsed.positionals,
  };
  return { settings, values: parsed.values as ReturnType<typeof parseArgs<{ options: T }>>['values'] };
}

/** What a command makes of one picture: fields of its JSON after `file` and `device`, and a line of text. */
export interface PictureResult {
  readonly fields: object;
  readonly text: string;
}

export interface PictureCall {
  readonly picture: Picture;
  /** Null: as the model says. */
  readonly image: ImageRule | null;
  readonly signal: AbortSignal;
}

/**
 * Loads the model, calls `prepare` once, what that gives for each picture, and writes a line a picture. A picture that
 * fails is told of on standard error, and the others follow. Returns the exit code.
 */
export async function forEachPicture(
  { model: argument, labels, device, range, rule, shapes, json, images }: PictureSettings,
  io: Io,
  loading: Pick<LoadOptions, 'embedding'>,
  prepare: (model: Model, names: LabelFile | null) => (call: PictureCall) => Promise<PictureResult>,
): Promise<number> {
  const graph = await readModel(argument, shapes);
  const stated = rule === null ? null : parseImageRule(await ruleText(rule), pictureShape(graph));
  for (const assumption of graph.assumptions ?? []) io.stderr.write(`assumed: ${assumption}\n`);
  const model = await load(graph, { device, ...loading });
  if (model.device !== 'webgpu' && device === 'auto') {
    io.stderr.write(`on the CPU${model.device === 'reference' ? ' reference' : ''}: ${model.deviceReason}\n`);
  }
  try {
    const names = labels ? { file: basename(labels), lines: linesOf(await readFile(labels, 'utf8')) } : null;
    const image = stated ?? (range ? ruleOf(range, model.inputs[0]?.shape[3] ?? 3) : null);
    const look = prepare(model, names);
    let failed = false;
    for (const file of images) {
      io.signal.throwIfAborted();
      try {
        const { fields, text } = await look({ picture: await decode(file), image, signal: io.signal });
        const result = { file, device: model.device, ...fields };
        io.stdout.write(json ? `${JSON.stringify(result)}\n` : `${file}: ${text}\n`);
      } catch (error) {
        io.signal.throwIfAborted();
        failed = true;
        io.stderr.write(`${(error as Error).name}: ${(error as Error).message}\n`);
      }
    }
    return failed ? 1 : 0;
  } finally {
    model.dispose();
  }
}

/** The pixels of a picture file, upright: turned and mirrored as its EXIF data say, as browsers do. */
export async function decode(file: string): Promise<Picture> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
  try {
    const image = await loadImage(bytes);
    const context = createCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  } catch (error) {
    throw new UsageError(`${file} could not be decoded as a picture: ${(error as Error).message}`);
  }
}

/** A rule has a `=`, or is the name of a file that holds one. */
async function ruleText(rule: string): Promise<string> {
  if (rule.includes('=') && !rule.endsWith('.json')) return rule;
  try {
    return await readFile(rule, 'utf8');
  } catch (error) {
    throw new UsageError(`--image is "${rule}", no rule (key=value) and no file: ${(error as Error).message}`);
  }
}

/** Throws `UsageError` where the network's only input is no picture. */
function pictureShape({ name, inputs }: Graph): Shape {
  const [input, ...others] = inputs;
  if (input && others.length === 0) return input.shape;
  throw new UsageError(`--image is for networks of one input, and ${name} has ${inputs.length}`);
}

/** The whole picture, squashed, black to `low` and white to `high`. */
function ruleOf([low, high]: readonly [number, number], channels: number): ImageRule {
  return { ...plainImage, channels: coloursOf(channels), scale: [(high - low) / 255], offset: [low] };
}

/** The lines of `--labels`, and what the file is called. */
export interface LabelFile {
  readonly file: string;
  readonly lines: readonly string[];
}
