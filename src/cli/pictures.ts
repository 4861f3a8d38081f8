/** What the commands that look at pictures share: their arguments, labels, and the loop over pictures. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { coloursOf, plainImage } from '../graph/image-rule.ts';
import { linesOf } from '../loaders/sidecars/labels.ts';
import { parseImageRule, ruleHelp } from '../loaders/sidecars/rule-text.ts';
import {
  type Device,
  type Graph,
  type ImageRule,
  type LoadOptions,
  load,
  type Picture,
  type Shape,
  UsageError,
} from '../node/index.ts';
import type { PictureModel } from './browser-model.ts';
import { checkChoice, oneOf } from './command.ts';
import { decode } from './decode.ts';
import { type BrowserName, browserNames } from './find-browsers.ts';
import type { Io } from './io.ts';
import { inputShapeHelp, inputShapesOf, readModel } from './model-argument.ts';
import { pictureFiles, type Shard, shardHelp, shardOf, shareOf } from './picture-files.ts';
import { progressBar } from './progress.ts';
import { ResultsFile } from './results-file.ts';

/** Options of every command for pictures, as `parseArgs` takes them. */
const options = {
  model: { type: 'string' },
  labels: { type: 'string' },
  device: { type: 'string', default: 'auto' },
  browser: { type: 'string' },
  range: { type: 'string' },
  image: { type: 'string' },
  'input-shape': { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
  list: { type: 'string', multiple: true },
  out: { type: 'string' },
  shard: { type: 'string' },
  shards: { type: 'string' },
} as const;

/** What a command looks with unless it is told, of the catalogue. */
export const usualModels = {
  classify: 'imagenet/v1-0.25',
  embed: 'imagenet/v1-0.25',
  detect: 'coco/ssd-v1-quantised',
  pose: 'coco/movenet-lightning-quantised',
  segment: 'voc/deeplab-v3',
} as const;

/** The help of those options, behind what a command has of its own (`own`, as in `[--top K]`). */
export const pictureHelp = (
  command: keyof typeof usualModels,
  own: string,
  about: string,
): string => `usage: npm run ${command} -- [--model MODEL] [--labels FILE] [--device auto|webgpu|wasm|reference]
       [--browser chrome|firefox] [--image RULE | --range LOW,HIGH] [--input-shape NAME=SIZES]… ${own} [--json]
       [--out FILE.jsonl] [--list FILE]… [--shard I/N | --shards N] IMAGE…

${about}
MODEL is a file, a folder with one model, or a name of the catalogue, which is fetched once (npm run fetch -- --list);
without --model it is ${usualModels[command]}.
Pictures are JPEG, PNG, WebP or BMP, upright, as their EXIF data say: files, folders with all below them, patterns in
quotes, and lists of paths (--list FILE, - is standard input). WebGPU in Node needs the package "webgpu".
--browser runs the model in a page of an installed browser, with its WebGPU; pictures are decoded here all the same.
--out appends the JSON to a file, and looks at no picture that the file has: a run that was ended goes on there.
${shardHelp}
--labels names the classes, a line each. One line more or less than the classes is the background: left out or put in.
--image says how a picture becomes the input, in place of what the file says: a rule, or a file with one.
  ${ruleHelp.replaceAll('\n', '\n  ')}
--range is the short form for the whole picture, squashed: what black and white become, -1,1 or 0,1.
${inputShapeHelp}`;

export interface PictureSettings {
  readonly model: string;
  readonly labels: string | undefined;
  readonly device: Device;
  readonly browser: BrowserName | null;
  readonly range: readonly [number, number] | null;
  /** A rule, or the name of a file with one. */
  readonly rule: string | null;
  readonly shapes: ReturnType<typeof inputShapesOf>;
  readonly json: boolean;
  /** Files, folders and patterns. */
  readonly images: readonly string[];
  readonly lists: readonly string[];
  readonly out: string | undefined;
  readonly shard: string | undefined;
  readonly shards: string | undefined;
}

type OwnOptions = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

/** The arguments of a command: those shared, and the values of `own`; `usualModel` is of the catalogue. Throws what is wrong with them. */
export function parsePictures<T extends OwnOptions>(
  argv: readonly string[],
  own: T,
  usualModel: string,
): { settings: PictureSettings; values: ReturnType<typeof parseArgs<{ options: T }>>['values'] } {
  const parsed = parseArgs({ args: [...argv], allowPositionals: true, options: { ...options, ...own } });
  // The types of a spread of a type parameter are not worked out.
  const values = parsed.values as ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  const { model = usualModel, labels, device, json, list: lists = [], out, shard, shards } = values;
  if (parsed.positionals.length + lists.length === 0) throw new UsageError('expected at least one IMAGE');
  const range = values.range?.split(',').map(Number) ?? null;
  if (range && (range.length !== 2 || !range.every(Number.isFinite) || !(range[0]! < range[1]!))) {
    throw new UsageError(`--range is "${values.range}", expected two numbers such as -1,1`);
  }
  if (range && values.image !== undefined) throw new UsageError('--image and --range say the same: pass one of them');
  const settings: PictureSettings = {
    model,
    labels,
    device: checkChoice({ device }).device,
    browser: values.browser === undefined ? null : oneOf('browser', values.browser, browserNames),
    range: range as [number, number] | null,
    rule: values.image ?? null,
    shapes: inputShapesOf(values['input-shape']),
    json,
    images: parsed.positionals,
    ...{ lists, out, shard, shards },
  };
  // What is wrong with it is wrong with the arguments.
  shardOf(shard, shards, process.env);
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
  chosen: PictureSettings,
  io: Io,
  loading: Pick<LoadOptions, 'embedding'>,
  prepare: (model: PictureModel, names: LabelFile | null) => (call: PictureCall) => Promise<PictureResult>,
): Promise<number> {
  const { model: argument, labels, device, browser, range, rule, shapes, json, out } = chosen;
  const shard = shardOf(chosen.shard, chosen.shards, process.env);
  const share = shareOf(await pictureFiles(chosen.images, chosen.lists), shard);
  const results = out === undefined ? null : ResultsFile.open(out, argument);
  try {
    const files = results ? share.filter((file) => !results.done.has(file)) : share;
    if (results) io.stderr.write(`${about(share.length, files.length, shard)}\n`);
    if (files.length === 0) return 0;
    const graph = await readModel(argument, shapes, io);
    const stated = rule === null ? null : parseImageRule(await ruleText(rule), pictureShape(graph));
    for (const assumption of graph.assumptions ?? []) io.stderr.write(`assumed: ${assumption}\n`);
    const model: PictureModel = browser
      ? await (await import('./browser-model.ts')).openInBrowser(browser, graph, { device, ...loading }, io)
      : await load(graph, { device, ...loading });
    if (model.device !== 'webgpu' && device === 'auto') {
      io.stderr.write(`on the CPU${model.device === 'reference' ? ' reference' : ''}: ${model.deviceReason}\n`);
    }
    try {
      const names = labels ? { file: basename(labels), lines: linesOf(await readFile(labels, 'utf8')) } : null;
      const image = stated ?? (range ? ruleOf(range, model.inputs[0]?.shape[3] ?? 3) : null);
      const look = prepare(model, names);
      const write = ({ fields, text }: PictureResult, file: string) => {
        const result = { file, device: model.device, ...fields };
        if (results) results.add({ ...result, model: argument });
        else io.stdout.write(json ? `${JSON.stringify(result)}\n` : `${file}: ${text}\n`);
      };
      return await inTurn(files, io, results !== null, async (picture, file) =>
        write(await look({ picture, image, signal: io.signal }), file),
      );
    } finally {
      model.dispose();
    }
  } finally {
    results?.close();
  }
}

/** Calls `look` with the picture of each file; the next one is decoded meanwhile. Returns the exit code. */
async function inTurn(
  files: readonly string[],
  io: Io,
  showProgress: boolean,
  look: (picture: Picture, file: string) => Promise<void>,
): Promise<number> {
  const bar = showProgress ? progressBar(io, files.length, 'pictures') : null;
  const decoded = (file: string | undefined) => {
    const picture = file === undefined ? null : decode(file);
    picture?.catch(() => {});
    return picture;
  };
  let failed = 0;
  let next = decoded(files[0]);
  for (const [i, file] of files.entries()) {
    io.signal.throwIfAborted();
    const picture = next!;
    next = decoded(files[i + 1]);
    try {
      await look(await picture, file);
    } catch (error) {
      io.signal.throwIfAborted();
      failed++;
      io.stderr.write(`${(error as Error).name}: ${(error as Error).message}\n`);
    }
    bar?.update(i + 1, failed > 0 ? `(${failed} failed)` : '');
  }
  bar?.stop();
  return failed > 0 ? 1 : 0;
}

const about = (all: number, left: number, shard: Shard | null): string =>
  `${left} pictures to look at${shard ? `, share ${shard.index} of ${shard.count}` : ''}${left < all ? `; ${all - left} are done` : ''}`;

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
