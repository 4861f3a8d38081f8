/**
 * SSD of TensorFlow's Object Detection API as a TensorFlow.js graph model (tfjs-models' coco-ssd): its preprocessor, a loop
 * over the pictures of a batch, and its postprocessor, which decodes, are cut off. Nodes are found by the API's names.
 */
import { UnsupportedOpError } from '../../errors.ts';
import type { SsdDecoding } from '../../graph/decoding.ts';
import type { Graph } from '../../graph/graph.ts';
import { plainImage } from '../../graph/image-rule.ts';
import type { Pair } from '../../graph/ops.ts';
import { inferShapes } from '../../graph/shapes.ts';
import type { Constant } from '../core/constants.ts';
import { nodeOf, type TfjsNode } from './node.ts';

/** Where the network begins and ends, and what decodes it. */
export interface DetectorCut {
  /** Tensors of the boxes and the scores, which become outputs. */
  readonly heads: readonly [boxes: string, scores: string];
  /** The tensor that becomes an input, pictures of this height and width; null: the file's own input is kept. */
  readonly start: { readonly tensor: string; readonly size: Pair } | null;
  /** The decoding of the graph that was cut there, and its image rule: pixels as they are. */
  readonly finish: (graph: Graph) => Graph;
}

const arithmetic = new Set(['Add', 'AddV2', 'Sub', 'Mul', 'RealDiv', 'Div', 'Cast', 'Identity']);
/** What hands its first input on, for a batch of one. */
const keeping = new Set(['Identity', 'Reshape', 'Tile', 'ExpandDims', 'Squeeze', 'Enter', 'Cast']);

/** Null where the file is no such detector. Throws `UnsupportedOpError` where a part of one is not found. */
export function detectorCut(
  file: string,
  nodes: readonly TfjsNode[],
  constant: (name: string) => Constant | undefined,
): DetectorCut | null {
  const last = nodes.find(({ name }) => name.endsWith('Postprocessor/convert_scores'));
  if (!last) return null;
  const prefix = last.name.slice(0, -'Postprocessor/convert_scores'.length);
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const fail = (node: string, message: string): never => {
    const op = byName.get(node)?.op ?? 'missing';
    throw new UnsupportedOpError(
      file,
      node,
      op,
      `${message}; the network can be cut (option "outputs") before it decodes`,
    );
  };
  const input = (node: TfjsNode, i: number) => byName.get(nodeOf(node.inputs[i] ?? ''));
  /** Up from a node through its first inputs while `passes` holds. */
  const up = (from: TfjsNode | undefined, passes: (node: TfjsNode) => boolean) => {
    let node = from;
    for (let hops = 0; node && passes(node) && hops < 100; hops++) node = input(node, 0);
    return node;
  };
  const decode = (name: string) => byName.get(`${prefix}Postprocessor/Decode/${name}`);
  const value = (node: TfjsNode | undefined) => {
    const end = up(node, ({ op }) => keeping.has(op));
    return end && constant(end.name);
  };

  const own = ({ name }: TfjsNode) => name.startsWith(`${prefix}Postprocessor/`);
  const boxes = up(decode('transpose'), own) ?? fail(`${prefix}Postprocessor/Decode/transpose`, 'leads to no boxes');
  const scales = ['div', 'div_1', 'div_2', 'div_3'].map((name) => {
    const node = decode(name);
    const by = node && [0, 1].map((i) => value(input(node, i))?.data).find((data) => data?.length === 1)?.[0];
    if (!node || by === undefined || !['RealDiv', 'Div', 'Mul'].includes(node.op)) {
      return fail(`${prefix}Postprocessor/Decode/${name}`, 'does not divide by a constant, as boxes are decoded');
    }
    return node.op === 'Mul' ? 1 / by : by;
  }) as [number, number, number, number];
  const anchors = anchorsOf(
    (name) => value(decode(`get_center_coordinates_and_sizes/${name}`)),
    (name) => {
      const node = decode(`get_center_coordinates_and_sizes/${name}`);
      return value(node && input(node, 0));
    },
  );
  if (!anchors) {
    return fail(
      `${prefix}Postprocessor/Decode/get_center_coordinates_and_sizes/transpose`,
      'reads no constant anchors',
    );
  }

  const inside = ({ name }: TfjsNode) => name.startsWith(`${prefix}Preprocessor/`);
  const first = nodes.find(
    (node) => !inside(node) && !own(node) && [input(node, 0)].some((from) => from && inside(from)),
  );
  // Its scale and offset stay in the network, and what makes pictures of one size is left out.
  const begin = first && up(input(first, 0), (node) => inside(node) && arithmetic.has(node.op));
  let start: DetectorCut['start'] = null;
  if (begin && inside(begin)) {
    const resize = nodes.find((node) => inside(node) && node.op === 'ResizeBilinear');
    const size = resize && value(input(resize, 1))?.data;
    if (!size || size.length < 2) return fail(begin.name, 'makes pictures of a size that is not constant');
    start = { tensor: begin.name, size: [size[0]!, size[1]!] };
  }
  const heads = [boxes.name, last.name] as const;
  const suppression = suppressionOf(nodes, (node, i) => value(input(node, i))?.data[0]);
  const finish = (graph: Graph): Graph => {
    const shapes = inferShapes(graph);
    const columns = shapes.get(graph.outputs.find(({ name }) => name === last.name)!.tensor)![3];
    const decoding: SsdDecoding = {
      kind: 'ssd',
      boxes: boxes.name,
      scores: last.name,
      logits: false,
      anchors,
      scales,
      classes: columns - 1,
      ...suppression,
    };
    const assumptions = [
      ...(graph.assumptions ?? []),
      ...(start
        ? [
            'pictures are resized about the centres of pixels; TensorFlow 1, for which the file was written, is half a pixel off',
          ]
        : []),
      ...(suppression.maxPerClass === null
        ? [
            "the file suppresses no boxes: at most 20 of a score of 0.5 are told, which share half at most, as by tfjs-models' coco-ssd",
          ]
        : []),
    ];
    return { ...graph, decoding, image: graph.image ?? { ...plainImage, antialias: false }, assumptions };
  };
  return { heads, start, finish };
}

type Find = (name: string) => Constant | undefined;

/** Centres and sizes from the corners that `transpose` reads, or where a converter has folded what follows. */
function anchorsOf(folded: Find, readBy: Find): number[] | null {
  const corners = readBy('transpose')?.data;
  if (corners && corners.length > 0 && corners.length % 4 === 0) {
    return Array.from({ length: corners.length / 4 }, (_, i) => {
      const [top, left, bottom, right] = [0, 1, 2, 3].map((k) => corners[4 * i + k]!) as [
        number,
        number,
        number,
        number,
      ];
      return [top + (bottom - top) / 2, left + (right - left) / 2, bottom - top, right - left];
    }).flat();
  }
  // As `box_list.get_center_coordinates_and_sizes` names them: centre y, centre x, height, width.
  const parts = ['add', 'add_1', 'sub_1', 'sub'].map((name) => folded(name)?.data);
  const length = parts[0]?.length ?? 0;
  if (length === 0 || !parts.every((part) => part?.length === length)) return null;
  return Array.from({ length }, (_, i) => parts.map((part) => part![i]!)).flat();
}

/** As the file's own suppression, which is by class; without one as tfjs-models' coco-ssd: by the best class, 20 of 0.5. */
function suppressionOf(nodes: readonly TfjsNode[], number: (node: TfjsNode, i: number) => number | undefined) {
  const node = nodes.find(({ op }) => op.startsWith('NonMaxSuppressionV'));
  if (!node) {
    return { maxDetections: 20, maxClassesPerDetection: 1, maxPerClass: null, minScore: 0.5, maxOverlap: 0.5 };
  }
  const most = number(node, 2) ?? 100;
  return {
    maxDetections: most,
    maxClassesPerDetection: 1,
    maxPerClass: most,
    minScore: number(node, 4) ?? 1e-8,
    maxOverlap: number(node, 3) ?? 0.6,
  };
}
