/** Labels and the picture rule in the metadata of an ONNX file. */
import { MobileNetError, ModelFormatError } from '../../errors.ts';
import { classesOf } from '../../graph/classes.ts';
import type { Graph, ImageRule } from '../../graph/graph.ts';
import { coloursOf, plainImage } from '../../graph/image-rule.ts';
import { alignLabels, linesOf } from '../sidecars/labels.ts';
import { parseImageRule } from '../sidecars/rule-text.ts';
import type { ModelProto } from './proto.ts';

/** Keys under which exporters keep the names of classes. */
const labelKeys = ['names', 'labels', 'classes', 'class_names'];
const mostBytes = 1_000_000;

/** White and the offset of black, by the values of Image.NominalPixelRange (onnx/docs/MetadataProps.md). */
const pixelRanges: ReadonlyMap<string, readonly [low: number, high: number]> = new Map([
  ['NominalRange_0_255', [0, 255]],
  ['Normalized_0_1', [0, 1]],
  ['Normalized_1_1', [-1, 1]],
]);

/**
 * The graph with the labels that `names`, `labels`, `classes` or `class_names` lists (JSON, a Python dictionary, lines),
 * and with the rule of `image`, written as `classify --image` takes it, or of Image.NominalPixelRange and
 * Image.BitmapPixelFormat. Throws `ModelFormatError` where `image` is none.
 */
export function withMetadata(graph: Graph, metadata: ModelProto['metadata']): Graph {
  const values = new Map(
    metadata.map(({ key, value }) => [
      key,
      value && value.length <= mostBytes ? new TextDecoder().decode(value).trim() : '',
    ]),
  );
  const said: string[] = [];
  const image = ruleOf(graph, values, said);
  const labels = labelsOf(graph, values, said);
  return {
    ...graph,
    ...(labels ? { labels } : {}),
    ...(image ? { image } : {}),
    ...(said.length > 0 ? { assumptions: [...(graph.assumptions ?? []), ...said] } : {}),
  };
}

function labelsOf(graph: Graph, values: ReadonlyMap<string, string>, said: string[]): readonly string[] | null {
  const classes = classesOf(graph);
  const key = labelKeys.find((name) => values.get(name));
  const names = key === undefined || classes === null ? null : namesIn(values.get(key)!);
  if (!names) return null;
  try {
    return alignLabels(names, classes!, `"${key}" in the metadata`, (message) => said.push(message));
  } catch (error) {
    if (!(error instanceof MobileNetError)) throw error;
    said.push(`${error.message}: it is not used`);
    return null;
  }
}

/** A JSON list or object, a Python list or dictionary of texts, or lines; null where it is none of these. */
function namesIn(text: string): string[] | null {
  if (text.startsWith('{') || text.startsWith('[')) {
    try {
      const json: unknown = JSON.parse(text);
      const names = Object.values(json as object);
      return names.every((name) => typeof name === 'string') ? names : null;
    } catch {
      return quotedTexts(text);
    }
  }
  return text.includes('\n') ? linesOf(text) : null;
}

/** The texts of a Python literal such as {0: 'cat', 1: "dog's"}, in order. */
function quotedTexts(text: string): string[] | null {
  const names: string[] = [];
  for (let at = 1; at < text.length; at++) {
    const quote = text[at]!;
    if (quote !== "'" && quote !== '"') continue;
    let name = '';
    for (at++; at < text.length && text[at] !== quote; at++) {
      if (text[at] === '\\') at++;
      name += text[at] ?? '';
    }
    names.push(name);
  }
  return names.length > 0 ? names : null;
}

function ruleOf(graph: Graph, values: ReadonlyMap<string, string>, said: string[]): ImageRule | null {
  const [input, ...others] = graph.inputs;
  const channels = input?.shape[3];
  if (!input || others.length > 0 || (channels !== 1 && channels !== 3)) return null;
  const own = values.get('image');
  if (own?.includes('=') || own?.startsWith('{')) {
    try {
      return parseImageRule(own, input.shape);
    } catch (error) {
      if (!(error instanceof MobileNetError)) throw error;
      throw new ModelFormatError(`${graph.name} (metadata)`, error.message, { cause: error });
    }
  }
  const range = pixelRanges.get(values.get('Image.NominalPixelRange') ?? '');
  if (!range) return null;
  const [low, high] = range;
  said.push(
    'the whole picture is squashed to the input: the metadata say how pixels are scaled, not how they are fitted',
  );
  const isBgr = values.get('Image.BitmapPixelFormat')?.startsWith('Bgr') ?? false;
  return {
    ...plainImage,
    channels: isBgr && channels === 3 ? 'bgr' : coloursOf(channels),
    scale: [(high - low) / 255],
    offset: [low],
  };
}
