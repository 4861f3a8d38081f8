/** Operations on integers in a saved model: what src/graph/integers.ts says of each, its lists of numbers as tensors. */
import { GraphError } from '../../errors.ts';
import type { Graph, GraphOutput } from '../../graph/graph.ts';
import type { IntegerBody, IntegerKind } from '../../graph/integers.ts';
import type { Node, Shape } from '../../graph/ops.ts';
import { field, shown } from '../core/json.ts';
import type { StoredTensor } from '../safetensors/container.ts';
import { type Check, isCount, isNumber, isPadding, isPair, isShape, oneOf, type ValueCheck } from './checks.ts';

/**
 * A tensor of this type, or null where it may be missing; fields of a part; a list of tensors; one multiplier, which a plan has, so
 * that it is no tensor, which may arrive later.
 */
type Form = Check | 'I8' | 'I8?[]' | 'I32?' | 'F32' | 'multiplier' | Fields;
interface Fields {
  readonly [name: string]: Form;
}

const within =
  (least: number, most: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isStored = within(-128, 127);
const isZero = within(-128, 255);
const isTwo =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length === 2 && value.every(check);
/** In float32, as it is used, and its inverse too. */
const isScale: Check = (value) =>
  isNumber(value) &&
  [value as number, 1 / (value as number)].every((one) => Math.fround(one) > 0 && Math.fround(one) < Infinity);
/** What results are cut to. */
const isRange: Check = (value) => isTwo(isStored)(value) && (value as number[])[0]! <= (value as number[])[1]!;

const to: Fields = { multipliers: 'F32', zeroPoint: isStored, range: isRange };
const ofOne: Fields = { ...to, multipliers: 'multiplier' };
const weighted: Fields = {
  weights: 'I8',
  weightZeroPoint: isZero,
  inputZeroPoint: isStored,
  bias: 'I32?',
  kernel: isPair,
  stride: isPair,
  dilation: isPair,
  outChannels: isCount,
  to,
};
const add: Fields = {
  kind: oneOf('add'),
  factors: isTwo(within(-(2 ** 30), 2 ** 30)),
  zeroPoints: isTwo(isStored),
  shift: within(1, 31),
  zeroPoint: isStored,
  range: isRange,
};
const steps: Fields = { scale: isScale, zeroPoint: isStored };

const forms: Readonly<Record<IntegerKind, Fields>> = {
  conv2d: { ...weighted, padding: isPadding, groups: isCount, residual: add },
  'conv-transpose2d': { ...weighted, crop: isPair, size: isPair },
  'fully-connected': {
    weights: 'I8',
    weightZeroPoint: isZero,
    inputZeroPoint: isStored,
    bias: 'I32?',
    outFeatures: isCount,
    to,
  },
  add,
  multiply: { zeroPoints: isTwo(isStored), to: ofOne },
  pairs: { table: 'I8' },
  lookup: { table: 'I8' },
  pool: {
    pool: oneOf('average', 'max'),
    halves: oneOf('away', 'up'),
    window: isPair,
    stride: isPair,
    padding: isPadding,
    range: isRange,
  },
  mean: { inputZeroPoint: isStored, to: ofOne },
  resize: { size: isPair, mode: oneOf('bilinear', 'nearest'), corners: oneOf('align', 'half-pixel', 'asymmetric') },
  concat: { axis: oneOf(0, 1, 2, 3), tables: 'I8?[]' },
  reshape: { shape: isShape },
  transpose: { permutation: isShape },
  pad: { padding: isPadding, filler: isStored },
  quantise: steps,
  dequantise: steps,
};

export type Stored = Int8Array | Int32Array | Float32Array;

/** A body as JSON; `keep` takes a tensor and gives its name. */
export function writeBody(body: IntegerBody, keep: (suffix: string, values: Stored) => string): unknown {
  const written = (value: unknown, path: string): unknown => {
    if (value instanceof Float32Array && !('weights' in body)) return [...value];
    if (ArrayBuffer.isView(value)) return keep(path, value as Stored);
    if (Array.isArray(value)) return value.map((one, i) => written(one, `${path}.${i}`));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, written(one, `${path}.${name}`)]));
  };
  return written(body, 'body');
}

/** What reads the tensors of a node. */
export interface TensorSource {
  /** Throws where there is none of this name. */
  tensorOf(key: string, name: unknown): StoredTensor;
  /** Names of tensors that some node has. */
  readonly used: Set<string>;
  readonly checkValues: ValueCheck;
  fail(message: string): never;
}

const isMeaning = oneOf(undefined, 'logits', 'probabilities', 'sigmoids', 'features');

/** What an output holds, which is not seen from operations on integers. */
export function readMeaning(output: unknown, fail: (message: string) => never): Pick<GraphOutput, 'meaning'> {
  const meaning = field(output, 'meaning');
  if (!isMeaning(meaning)) fail(`holds an output whose meaning is ${shown(meaning)}`);
  return meaning ? ({ meaning } as Pick<GraphOutput, 'meaning'>) : {};
}

/** A body as `writeBody` wrote it, whose tensors are views of the file. */
export function readBody(value: unknown, source: TensorSource): IntegerBody {
  const kind = field(value, 'kind');
  if (typeof kind !== 'string' || !Object.hasOwn(forms, kind)) return source.fail(`kind is ${shown(kind)}`);
  const { residual, ...own } = forms[kind as IntegerKind];
  const wanted = residual && field(value, 'residual') !== undefined ? { ...own, residual } : own;
  return { kind, ...readFields(value, wanted, source) } as unknown as IntegerBody;
}

function readFields(value: unknown, fields: Fields, source: TensorSource): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, form] of Object.entries(fields)) {
    const stated = field(value, name);
    if (typeof form === 'object') found[name] = readFields(stated, form, source);
    else if (typeof form === 'function')
      found[name] = form(stated) ? stated : source.fail(`${name} is ${shown(stated)}`);
    else if (form === 'multiplier') {
      const sound = Array.isArray(stated) && stated.length === 1 && isScale(stated[0]);
      found[name] = sound
        ? Float32Array.from(stated)
        : source.fail(`${name} are ${shown(stated)}, expected a positive number`);
    } else if (form === 'I8?[]') {
      if (!Array.isArray(stated)) return source.fail(`${name} are ${shown(stated)}`);
      found[name] = stated.map((one) => (one === null ? null : valuesOf(name, one, 'I8', source)));
    } else found[name] = form === 'I32?' && stated === null ? null : valuesOf(name, stated, form, source);
  }
  return found;
}

function valuesOf(key: string, name: unknown, form: 'I8' | 'I32?' | 'F32', source: TensorSource): Stored {
  const type = form.replace('?', '');
  const { dtype, bytes } = source.tensorOf(key, name);
  source.used.add(name as string);
  if (dtype !== type) source.fail(`tensor "${name}" is ${dtype}, expected ${type}`);
  const View = form === 'I8' ? Int8Array : form === 'F32' ? Float32Array : Int32Array;
  const size = View.BYTES_PER_ELEMENT;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const values = new View(buffer as ArrayBuffer, byteOffset, byteLength / size);
  source.checkValues(name as string, () => {
    // Multipliers are what the only floats are.
    const at = form === 'F32' ? values.findIndex((one) => !(one > 0 && one < Infinity)) : -1;
    if (at >= 0) source.fail(`tensor "${name}" holds ${values[at]} at ${at}, expected positive numbers`);
  });
  return values;
}

/**
 * Throws `GraphError` where a node reads integers as real numbers or the other way round, and where tensors of the file are not as long as
 * the shapes want them: of weights and biases these say it themselves.
 */
export function checkIntegers({ inputs, nodes }: Graph, shapes: ReadonlyMap<string, Shape>): void {
  const fail = ({ name, op }: Node, message: string): never => {
    throw new GraphError(`node "${name}" (${op}): ${message}`);
  };
  /** Whether they are integers. */
  const stored = new Map(
    nodes.map((node) => [node.output, node.op === 'integer' && node.body.kind !== 'dequantise'] as const),
  );
  for (const { name } of inputs) stored.set(name, false);
  for (const node of nodes) {
    const reads = node.op === 'integer' && node.body.kind !== 'quantise';
    const other = node.inputs.find((name) => stored.get(name) === !reads);
    if (other !== undefined) fail(node, `"${other}" holds ${reads ? 'real numbers' : 'integers'}`);
    if (node.op !== 'integer') continue;
    const { body } = node;
    const length = (what: string, values: Stored | null, ...wanted: readonly number[]) => {
      if (values && !wanted.includes(values.length)) {
        fail(node, `${what} are ${values.length}, expected ${wanted.join(' or ')}`);
      }
    };
    const channels = shapes.get(node.output)![3];
    if ('to' in body) length('multipliers', body.to.multipliers, 1, ...('weights' in body ? [channels] : []));
    if (body.kind === 'lookup') length('entries of the table', body.table, 256, 256 * channels);
    if (body.kind === 'pairs') length('entries of the table', body.table, 65_536);
    if (body.kind === 'concat') {
      if (body.tables.length !== node.inputs.length) fail(node, `has ${body.tables.length} tables`);
      for (const table of body.tables) length('entries of a table', table, 256);
    }
    const sums = body.kind === 'conv2d' && body.residual !== undefined;
    if (body.kind === 'conv2d' && (node.inputs.length === 2) !== sums)
      fail(node, 'has a residual and no sum, or a sum and none');
    if (sums && body.groups !== 1) fail(node, 'adds a residual to a convolution of several groups');
  }
}
