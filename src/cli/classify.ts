import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { coloursOf, plainImage } from '../graph/image-rule.ts';
import { alignLabels, linesOf } from '../loaders/sidecars/labels.ts';
import { parseImageRule, ruleHelp } from '../loaders/sidecars/rule-text.ts';
import {
  type Device,
  type Graph,
  type ImageRule,
  load,
  type Model,
  outputShapes,
  type Picture,
  type Shape,
  UsageError,
} from '../node/index.ts';
import { checkChoice, runToExitCode, wholeNumber } from './command.ts';
import type { Io } from './io.ts';
import { inputShapeHelp, inputShapesOf, readModel } from './model-argument.ts';

const help = `usage: npm run classify -- --model FILE [--labels FILE] [--device auto|webgpu|wasm|reference] [--top K]
                           [--image RULE | --range LOW,HIGH] [--input-shape NAME=SIZES]… [--embedding] [--json] IMAGE…

The best classes of pictures (JPEG, PNG, WebP, BMP; upright, as their EXIF data say), a line each. WebGPU in Node needs
the package "webgpu".
--labels names the classes, a line each. One line more or less than the classes is the background: left out or put in.
--image says how a picture becomes the input, in place of what the file says: a rule, or a file with one.
  ${ruleHelp.replaceAll('\n', '\n  ')}
--range is the short form for the whole picture, squashed: what black and white become, -1,1 or 0,1.
--embedding adds the features that the last layer reads, an array of numbers in the JSON.
${inputShapeHelp}`;

interface Settings {
  readonly model: string;
  readonly labels: string | undefined;
  readonly device: Device;
  readonly top: number;
  readonly range: readonly [number, number] | null;
  readonly image: string | null;
  readonly shapes: ReturnType<typeof inputShapesOf>;
  readonly embedding: boolean;
  readonly json: boolean;
  readonly images: readonly string[];
}

function parse(argv: readonly string[]): Settings {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      labels: { type: 'string' },
      device: { type: 'string', default: 'auto' },
      top: { type: 'string', default: '5' },
      range: { type: 'string' },
      image: { type: 'string' },
      'input-shape': { type: 'string', multiple: true },
      embedding: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const { model, labels, device, embedding, json } = values;
  if (!model) throw new UsageError('--model is missing');
  if (embedding && !json) throw new UsageError('--embedding needs --json: it is a field of the JSON');
  if (positionals.length === 0) throw new UsageError('expected at least one IMAGE');
  const range = values.range?.split(',').map(Number) ?? null;
  if (range && (range.length !== 2 || !range.every(Number.isFinite) || !(range[0]! < range[1]!))) {
    throw new UsageError(`--range is "${values.range}", expected two numbers such as -1,1`);
  }
  if (range && values.image !== undefined) throw new UsageError('--image and --range say the same: pass one of them');
  return {
    model,
    labels,
    device: checkChoice({ device }).device,
    top: wholeNumber('top', values.top, 1, 1_000_000),
    range: range as [number, number] | null,
    image: values.image ?? null,
    shapes: inputShapesOf(values['input-shape']),
    embedding,
    json,
    images: positionals,
  };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

async function run(chosen: Settings, io: Io): Promise<number> {
  const graph = await readModel(chosen.model, chosen.shapes);
  const stated = chosen.image === null ? null : parseImageRule(await ruleText(chosen.image), pictureShape(graph));
  for (const assumption of graph.assumptions ?? []) io.stderr.write(`assumed: ${assumption}\n`);
  const model = await load(graph, { device: chosen.device, embedding: chosen.embedding });
  if (model.device === 'reference' && chosen.device !== 'reference') {
    io.stderr.write(`on the CPU reference: ${model.deviceReason}\n`);
  }
  try {
    const names = chosen.labels ? linesOf(await readFile(chosen.labels, 'utf8')) : null;
    let labels = names ? null : model.labels;
    const image = stated ?? (chosen.range ? ruleOf(chosen.range, model.inputs[0]?.shape[3] ?? 3) : graph.image);
    let failed = false;
    for (const file of chosen.images) {
      io.signal.throwIfAborted();
      try {
        const options = { top: chosen.top, signal: io.signal, ...(image ? { image } : {}) };
        const picture = await decode(file);
        const { top: best, embedding } = chosen.embedding
          ? await model.embed(picture, options)
          : { top: await model.classify(picture, options), embedding: null };
        labels ??=
          names &&
          alignLabels(names, classesOf(model), basename(chosen.labels!), (said) => io.stderr.write(`${said}\n`));
        const top = best.map(({ index, label, score }) => ({ index, label: labels?.[index] ?? label, score }));
        const { device, adapter } = model;
        const result = { file, device, adapter, top, ...(embedding ? { embedding: [...embedding] } : {}) };
        io.stdout.write(chosen.json ? `${JSON.stringify(result)}\n` : describe(file, top));
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

/** Classes of a model with one output beside an embedding. */
function classesOf({ graph }: Model): number {
  const [[, shape]] = [...outputShapes(graph)].filter(([name], _, all) => all.length === 1 || name !== 'embedding');
  return shape.reduce((a, b) => a * b);
}

function describe(file: string, top: readonly { label: string | null; index: number; score: number }[]): string {
  const classes = top.map(({ label, index, score }) => `${label ?? `class ${index}`} ${(100 * score).toFixed(1)} %`);
  return `${file}: ${classes.join(', ')}\n`;
}
