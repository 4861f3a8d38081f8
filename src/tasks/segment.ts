/** What each pixel of a picture shows. */

import { UsageError } from '../errors.ts';
import type { DecodingOf } from '../graph/decoding.ts';
import type { Graph } from '../graph/graph.ts';
import type { Pair } from '../graph/ops.ts';
import type { PictureSource } from '../images/picture-source.ts';
import { bodyParts } from './body-parts.ts';
import { classMask, type ScoreGrid, scoreMask, UNSEEN } from './mask.ts';
import { decodingOf, see, type TaskModel, type TaskOptions } from './task.ts';

export interface SegmentOptions extends TaskOptions {
  /** From which score on a pixel is foreground, where the model tells foreground from background; default 0.5. */
  readonly minScore?: number | undefined;
  /** The parts of bodies in place of people (BodyPix). */
  readonly parts?: boolean | undefined;
}

/** A class in the picture. */
export interface SegmentedClass {
  readonly index: number;
  /** From the labels; null without. */
  readonly label: string | null;
  /** Share of the picture's pixels: 0 … 1. */
  readonly share: number;
}

export interface Segmentation {
  /** Of the picture, in pixels. */
  readonly width: number;
  readonly height: number;
  /** The class of each pixel of the picture, row by row; 255 where the model did not see it: outside a crop. */
  readonly mask: Uint8Array<ArrayBuffer>;
  /** Those in the mask, the largest first. */
  readonly classes: readonly SegmentedClass[];
  /**
   * How likely each pixel is foreground, 0 … 1, where the model tells foreground (class 1) from background (class 0); NaN
   * where it did not see the picture. Null for models with more classes.
   */
  readonly foreground: Float32Array<ArrayBuffer> | null;
}

const segmenter = {
  model: 'segmentation network',
  takes: 'DeepLab, selfie segmentation or BodyPix, or one output of [1, height, width, classes]',
};

/**
 * The class of each pixel of a picture: by the file's decoding (`Graph.decoding`), or by the only output where that is a
 * grid of scores. Throws `UsageError` where the model is no such network or the picture does not fit, `InvalidResultError`
 * where it gives NaN.
 */
export async function segment(
  model: TaskModel,
  picture: PictureSource,
  options: SegmentOptions = {},
): Promise<Segmentation> {
  const { minScore = 0.5, parts = false, labels } = options;
  const graph = await withGrid(model.graph);
  const decoding = decodingOf(graph, segmenter, ['segmentation', 'posenet']);
  const { outputs, framing } = await see(model, picture, options);
  const { grid, people, logits } = scoresOf(graph, decoding, outputs, parts);
  const foreground = people && scoreMask(people, framing);
  if (foreground && logits)
    for (let i = 0; i < foreground.length; i++) foreground[i] = 1 / (1 + Math.exp(-foreground[i]!));
  const mask = grid ? classMask(grid, framing) : new Uint8Array(foreground!.length);
  if (foreground) {
    for (let i = 0; i < mask.length; i++) {
      const inside = foreground[i]! >= minScore;
      if (Number.isNaN(foreground[i]!)) mask[i] = UNSEEN;
      else mask[i] = inside ? (grid ? mask[i]! + 1 : 1) : 0;
    }
  }
  const names =
    labels ?? (foreground ? (grid ? ['background', ...bodyParts] : ['background', 'person']) : graph.labels);
  const [height, width] = framing.picture;
  return { width, height, mask, classes: classesOf(mask, names), foreground: grid ? null : foreground };
}

interface Scores {
  /** Of classes that are compared; null where there is the foreground alone. */
  readonly grid: ScoreGrid | null;
  /** Of the foreground; null where there is none. */
  readonly people: ScoreGrid | null;
  readonly logits: boolean;
}

function scoresOf(
  graph: Graph,
  decoding: DecodingOf<'segmentation' | 'posenet'>,
  outputs: Readonly<Record<string, Float32Array>>,
  parts: boolean,
): Scores {
  const refuse = (what: string): never => {
    throw new UsageError(`${graph.name} has no ${what} among its outputs`);
  };
  const { size } = decoding;
  if (decoding.kind === 'segmentation') {
    if (parts) refuse('parts of bodies');
    const { scores, classes, corners, logits } = decoding;
    const grid = { scores: outputs[scores]!, classes, size, corners };
    return classes === 1 ? { grid: null, people: grid, logits } : { grid, people: null, logits };
  }
  const people = decoding.people ?? refuse('mask of people');
  const of = (name: string, classes: number) => ({ scores: outputs[name]!, classes, size, corners: 'align' as const });
  const grid = parts ? of(decoding.parts ?? refuse('parts of bodies'), bodyParts.length) : null;
  return { grid, people: of(people, 1), logits: true };
}

/** The graph, with a decoding where its only output is a grid of scores. */
async function withGrid(graph: Graph): Promise<Graph> {
  if (graph.decoding) return graph;
  const [output, ...others] = graph.outputs;
  if (!output || others.length > 0) return graph;
  // Of the engine, which is there already.
  const { inferShapes } = await import('../graph/shapes.ts');
  const shape = inferShapes(graph).get(output.tensor)!;
  if (shape[0] !== 1 || shape[1] < 2 || shape[2] < 2) return graph;
  const size: Pair = [shape[1], shape[2]];
  const logits = output.meaning === 'logits';
  // A single channel is the foreground's score; what is neither a logit nor a sigmoid is no score.
  if (shape[3] === 1 && !logits && output.meaning !== 'sigmoids') return graph;
  return {
    ...graph,
    decoding: { kind: 'segmentation', scores: output.name, size, classes: shape[3], corners: 'half-pixel', logits },
  };
}

function classesOf(mask: Uint8Array, labels: readonly string[] | undefined): SegmentedClass[] {
  const counts = new Float64Array(256);
  for (const index of mask) counts[index]!++;
  return [...counts.keys()]
    .filter((index) => index !== UNSEEN && counts[index]! > 0)
    .sort((a, b) => counts[b]! - counts[a]!)
    .map((index) => ({ index, label: labels?.[index] ?? null, share: counts[index]! / mask.length }));
}
