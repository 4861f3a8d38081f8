/** A model as `Model.save` wrote it: the graph after the passes as JSON in a safetensors file, its weights as tensors. */
import { GraphError, ModelFormatError, UsageError } from '../../errors.ts';
import type { Decoding } from '../../graph/decoding.ts';
import { allFinite } from '../../graph/finite.ts';
import type { Graph, GraphInput, GraphOutput, ImageRule } from '../../graph/graph.ts';
import type { Node, OpName } from '../../graph/ops.ts';
import { inferShapes } from '../../graph/shapes.ts';
import { field, shown } from '../core/json.ts';
import { float32View, fromFloat16 } from '../core/weights.ts';
import type { LoadGraphOptions } from '../model-files.ts';
import type { SafetensorsFile, StoredTensor } from '../safetensors/container.ts';
import {
  type Check,
  isActivation,
  isCount,
  isNumber,
  isPadding,
  isPair,
  isShape,
  isText,
  oneOf,
  type ValueCheck,
} from './checks.ts';
import { isDecoding } from './decoding.ts';

/** `__metadata__.format` of these files. */
export const SAVED_FORMAT = 'mobilenet-webgpu';

/** Raised where an earlier engine could not read what a later one writes; a later one reads every earlier version. */
export const FORMAT_VERSION = 2;

/** Written where no weights are bytes, and no operation is on integers. */
export const WITHOUT_BYTES = 1;

const MOST_NODES = 10_000;

const INTEGER: OpName = 'integer';

/** JSON has no infinity: an end of a clip that is open is null. */
const isEnd: Check = (value) => value === null || isNumber(value);

const isWeightsAs = oneOf(undefined, 'int8');

/** Fields of each operation besides its names, and which of them are tensors (`?`: or null). */
export const fields: Readonly<
  Record<Exclude<OpName, 'fused' | 'sum-tiles' | 'integer'>, Readonly<Record<string, Check | 'tensor' | 'tensor?'>>>
> = {
  conv2d: {
    weightsAs: isWeightsAs,
    weights: 'tensor',
    bias: 'tensor?',
    kernel: isPair,
    stride: isPair,
    dilation: isPair,
    padding: isPadding,
    groups: isCount,
    outChannels: isCount,
    activation: isActivation,
  },
  'conv-transpose2d': {
    weights: 'tensor',
    bias: 'tensor?',
    kernel: isPair,
    stride: isPair,
    dilation: isPair,
    crop: isPair,
    size: isPair,
    outChannels: isCount,
    activation: isActivation,
  },
  'batch-norm': { scale: 'tensor', shift: 'tensor', mean: 'tensor', variance: 'tensor', epsilon: isNumber },
  affine: { scale: 'tensor', shift: 'tensor' },
  prelu: { slope: 'tensor' },
  activation: { activation: isActivation },
  clip: { min: isEnd, max: isEnd },
  add: { activation: isActivation },
  multiply: { activation: isActivation },
  pool: {
    kind: oneOf('average', 'max'),
    kernel: isPair,
    stride: isPair,
    padding: isPadding,
    countPadding: oneOf(true, false),
  },
  'global-average-pool': {},
  'fully-connected': {
    weightsAs: isWeightsAs,
    weights: 'tensor',
    bias: 'tensor?',
    outFeatures: isCount,
    activation: isActivation,
  },
  softmax: {},
  'l2-normalize': { epsilon: isNumber },
  reshape: { shape: isShape },
  transpose: { permutation: isShape },
  pad: { padding: isPadding },
  resize: { size: isPair, mode: oneOf('bilinear', 'nearest'), corners: oneOf('align', 'half-pixel', 'asymmetric') },
  concat: { axis: oneOf(undefined, 0, 1, 2, 3) },
};

const isListOfNumbers: Check = (value) =>
  Array.isArray(value) && value.every(isNumber) && [1, 3].includes(value.length);

/** A region is of one picture, not of a model: it is not saved. */
const imageFields: Readonly<Record<Exclude<keyof ImageRule, 'region'>, Check>> = {
  rotate: oneOf(undefined, 0, 90, 180, 270),
  flip: oneOf(undefined, true, false),
  fit: oneOf('stretch', 'crop', 'letterbox'),
  cropFraction: isNumber,
  filter: oneOf('bilinear', 'bicubic'),
  antialias: oneOf(true, false),
  corners: oneOf('half-pixel', 'align'),
  channels: oneOf('rgb', 'bgr', 'grey'),
  scale: isListOfNumbers,
  offset: isListOfNumbers,
};

const isImageRule: Check = (value) => Object.entries(imageFields).every(([name, check]) => check(field(value, name)));

/** What reads weights that are bytes, and operations on integers; for files that have such. */
export async function readersFor({ graph = '' }: SafetensorsFile['metadata']) {
  return {
    byteTensors: graph.includes('"weightsAs":') ? (await import('./bytes.ts')).byteTensors : null,
    integers: graph.includes(`"op":"${INTEGER}"`) ? await import('./integers.ts') : null,
  };
}

type Readers = Awaited<ReturnType<typeof readersFor>>;

/**
 * The graph of a saved model, marked as `prepared`. Weights are views of the file where its bytes are aligned. Nothing
 * but `checkValues` reads a value. `readers` are `readersFor` its metadata. Throws `ModelFormatError`, which names the node or tensor.
 */
export function openSavedModel(
  file: string,
  { metadata, tensors }: SafetensorsFile,
  options: LoadGraphOptions,
  readers: Readers,
  checkValues: ValueCheck = (_tensor, check) => check(),
): Graph {
  const fail = (message: string): never => {
    throw new ModelFormatError(file, message);
  };
  if (options.outputs || options.inputShapes) {
    throw new UsageError(`${file} is a saved model: cut it or fix its sizes before it is saved`);
  }
  const version = Number(metadata.version);
  if (!(version >= 1 && version <= FORMAT_VERSION)) {
    fail(
      `is a saved model of format version ${shown(metadata.version)}, written by engine ${shown(metadata.engine)}; ` +
        `this engine opens versions 1 to ${FORMAT_VERSION}: update it`,
    );
  }
  let stated: unknown;
  try {
    stated = JSON.parse(metadata.graph ?? '');
  } catch (error) {
    throw new ModelFormatError(file, `holds a graph that is no sound JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const list = (key: string): readonly unknown[] => {
    const value = field(stated, key);
    return Array.isArray(value) ? value : fail(`holds a graph whose ${key} are ${shown(value)}, expected a list`);
  };
  const nodesStated = list('nodes');
  if (nodesStated.length > MOST_NODES) fail(`holds ${nodesStated.length} nodes, at most ${MOST_NODES} are read`);
  const used = new Set<string>();
  const nodes = nodesStated.map((node, i) => readNode(file, node, i, tensors, used, readers, checkValues));
  const unused = [...tensors.keys()].find((name) => !used.has(name));
  if (unused !== undefined) fail(`holds tensor "${unused}", which no node uses`);
  const inputs = list('inputs').map((input): GraphInput => {
    const [name, shape] = [field(input, 'name'), field(input, 'shape')];
    if (!isText(name) || !isShape(shape)) fail(`holds the input ${shown(input)}, expected a name and a shape`);
    return { name: name as string, shape: shape as GraphInput['shape'] };
  });
  const outputs = list('outputs').map((output): GraphOutput => {
    const [name, tensor] = [field(output, 'name'), field(output, 'tensor')];
    if (!isText(name) || !isText(tensor)) fail(`holds the output ${shown(output)}, expected a name and a tensor`);
    return { name: name as string, tensor: tensor as string, ...readers.integers?.readMeaning(output, fail) };
  });
  if (inputs.length === 0 || outputs.length === 0) fail('holds a graph without inputs or outputs');
  const texts = (key: string): string[] | undefined => {
    const found = field(stated, key);
    const sound = found === undefined || (Array.isArray(found) && found.every(isText));
    return sound ? found : fail(`has ${key} that are no strings`);
  };
  const [labels, assumptions] = [texts('labels'), texts('assumptions')];
  const image = field(stated, 'image');
  if (image !== undefined && !isImageRule(image)) fail(`has an image rule that is none: ${shown(image)}`);
  const decoding = field(stated, 'decoding');
  if (decoding !== undefined && !isDecoding(decoding, outputs)) fail(`has a decoding that is none: ${shown(decoding)}`);
  const graph: Graph = {
    name: isText(field(stated, 'name')) ? (field(stated, 'name') as string) : file,
    inputs,
    outputs,
    nodes,
    prepared: true,
    ...(labels === undefined ? {} : { labels }),
    ...(assumptions === undefined ? {} : { assumptions }),
    ...(image === undefined ? {} : { image: image as ImageRule }),
    ...(decoding === undefined ? {} : { decoding: decoding as Decoding }),
  };
  try {
    const shapes = inferShapes(graph);
    readers.integers?.checkIntegers(graph, shapes);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    throw new ModelFormatError(file, `holds a graph that does not fit together: ${error.message}`, { cause: error });
  }
  return graph;
}

function readNode(
  file: string,
  value: unknown,
  index: number,
  tensors: ReadonlyMap<string, StoredTensor>,
  used: Set<string>,
  readers: Readers,
  checkValues: ValueCheck,
): Node {
  const [op, name, inputs, output] = ['op', 'name', 'inputs', 'output'].map((key) => field(value, key));
  const where = `node ${index}${typeof name === 'string' ? ` ("${name}")` : ''}`;
  const fail = (message: string): never => {
    throw new ModelFormatError(file, `${where}: ${message}`);
  };
  const integers = op === INTEGER && readers.integers;
  if (!integers && (typeof op !== 'string' || !Object.hasOwn(fields, op))) return fail(`op is ${shown(op)}`);
  if (!isText(name) || !isText(output) || !(Array.isArray(inputs) && inputs.every(isText))) {
    return fail('name, inputs and output are not all strings');
  }
  const tensorOf = (key: string, stated: unknown): StoredTensor =>
    (typeof stated === 'string' ? tensors.get(stated) : undefined) ??
    fail(`${key} is tensor ${shown(stated)}, which the file does not hold`);
  const node: Record<string, unknown> = { op, name, inputs, output };
  if (integers) node.body = integers.readBody(field(value, 'body'), { tensorOf, used, checkValues, fail });
  for (const [key, check] of Object.entries(fields[op as keyof typeof fields] ?? {})) {
    const stated = field(value, key);
    if (typeof check !== 'string') {
      if (!check(stated)) fail(`${key} is ${shown(stated)}`);
      if (stated !== undefined)
        node[key] = op === 'clip' && stated === null ? (key === 'min' ? -Infinity : Infinity) : stated;
    } else if (check === 'tensor?' && stated === null) node[key] = null;
    else {
      const tensor = tensorOf(key, stated);
      if (key === 'weights' && field(value, 'weightsAs') === 'int8') {
        const scales = tensorOf('scales', field(value, 'scales'));
        const outputs = field(value, op === 'conv2d' ? 'outChannels' : 'outFeatures');
        const both = [stated, field(value, 'scales')] as [string, string];
        if (!readers.byteTensors || tensor.dtype !== 'I8' || scales.dtype !== 'F32') {
          return fail(`tensors "${both.join('", "')}" are ${tensor.dtype}, ${scales.dtype}, expected I8 and F32`);
        }
        if (both.some((name) => used.has(name))) fail(`tensors "${both.join('", "')}" are another node's too`);
        if (scales.bytes.length !== 4 * (outputs as number) || outputs === 0) {
          fail(
            `tensor "${both[1]}" holds ${scales.bytes.length / 4} scales, expected one for each of ${outputs} outputs`,
          );
        }
        const { weights, arrived } = readers.byteTensors(tensor, scales, (message) =>
          fail(`tensor "${stated}" ${message}`),
        );
        for (const [name, one] of [[both[0], tensor] as const, [both[1], scales] as const]) {
          used.add(name);
          checkValues(name, () => arrived(one), weights);
        }
        node[key] = weights;
        continue;
      }
      const halves = tensor.dtype === 'F16';
      if (tensor.dtype !== 'F32' && !halves) fail(`tensor "${stated}" is ${tensor.dtype}, expected F32 or F16`);
      used.add(stated as string);
      const values = halves ? fromFloat16(tensor.bytes) : float32View(tensor.bytes);
      node[key] = values;
      checkValues(stated as string, () => checkFinite(values, (message) => fail(`tensor "${stated}" ${message}`)));
    }
  }
  return node as unknown as Node;
}

function checkFinite(values: Float32Array, fail: (message: string) => never): void {
  if (allFinite(values)) return;
  const at = values.findIndex((value) => !Number.isFinite(value));
  fail(`holds ${values[at]} at ${at}`);
}
