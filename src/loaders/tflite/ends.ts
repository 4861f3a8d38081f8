/** Operators at the end of a file that decode what its network found: they are not run. */
import type { UnsupportedOpError } from '../../errors.ts';
import type { Decoding } from '../../graph/decoding.ts';
import { headsBefore } from '../core/cut.ts';
import { listed, type Place } from '../core/import-builder.ts';
import type { End } from './decoding.ts';
import { CUSTOM, type FileNetwork, type Operator, type Wanted } from './operator.ts';
import type { TailCall } from './tail-call.ts';

interface Tail {
  /** Which of its inputs become outputs of the graph; the others are constants. */
  readonly heads: readonly number[];
  readonly decoding: () => Promise<(call: TailCall) => Decoding>;
}

/** Operators that decode and are not run, by the name of the custom operator. */
const tails: ReadonlyMap<string, Tail> = new Map([
  [
    'TFLite_Detection_PostProcess',
    { heads: [0, 1], decoding: async () => (await import('./detection.ts')).ssdDecoding },
  ],
]);

/** Operators that decode and have no name in the file, by the number of BuiltinOperator. */
const decoders = new Map([
  [48, 'TOPK_V2'],
  [56, 'ARG_MAX'],
  [79, 'ARG_MIN'],
  [107, 'GATHER_ND'],
]);

/** Operators that pick places, or decode what the network found: no layers. */
const picks: ReadonlySet<string> = new Set([...decoders.values(), 'PosenetDecoderOp']);

/** Operators that learnt weights: behind them is a network, not a decoding. */
const learns: ReadonlySet<string> = new Set(['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED', 'TRANSPOSE_CONV']);

/** An operator that decodes, and its name. */
type TailOperator = Operator & { readonly name: string };

/**
 * Where the network is cut because operators are `left` that decode what it found: the file's own outputs that do not
 * depend on them, then what they read. Throws `error` where they are no decoding.
 */
function cutBefore(
  { all, opOf, graphTensor, tensor: tensorAt }: FileNetwork,
  error: UnsupportedOpError,
  wanted: readonly Wanted[],
  left: ReadonlySet<number>,
  order: readonly number[],
): readonly Wanted[] {
  const ops = [...left].map((i) => opOf(i));
  if (!ops.some((op) => picks.has(op)) || ops.some((op) => learns.has(op))) throw error;
  const own = wanted.filter(({ index }) => graphTensor(index) !== null);
  const named = (indices: readonly number[]) => indices.flatMap((index) => graphTensor(index) ?? []);
  const heads = headsBefore(
    { order, reads: (i) => named(all[i]!.inputs), writes: (i) => named(all[i]!.outputs) },
    left,
    named(own.map(({ index }) => index)),
  );
  const read = [...left].flatMap((i) => all[i]!.inputs);
  const outputs = heads.map((tensor) => {
    const index = read.find((input) => graphTensor(input) === tensor)!;
    return { name: tensorAt(index, 'an output').name, index };
  });
  const names = [...own, ...outputs].map(({ name }) => name);
  if (outputs.length === 0 || new Set(names).size < names.length) throw error;
  return [...own, ...outputs];
}

/** What decodes, and what it reads of these outputs. */
function endsOf(
  { all, opOf, graphTensor, tensor, value: valueAt }: FileNetwork,
  left: readonly number[],
  outputs: readonly Wanted[],
): readonly End[] {
  const names = new Map(outputs.map(({ name, index }) => [graphTensor(index), name]));
  return left.map((i) => {
    const { table, inputs } = all[i]!;
    return {
      op: opOf(i),
      inputs: inputs.map((index) => names.get(graphTensor(index)) ?? null),
      constant: (k) => {
        const bytes = k in inputs ? tensor(inputs[k]!, `input ${k} of operator ${i}`).bytes.length : 0;
        const value = bytes > 0 ? valueAt(inputs[k]!, `input ${k} of operator ${i}`) : null;
        return value?.kind === 'constant' ? value.data : null;
      },
      options: table.bytes(5),
    };
  });
}

/** The operator that decodes, where the file's outputs come from one; null where it is none that is known. */
function tailOf({ all, codes, outputs: own }: FileNetwork): TailOperator | null {
  for (const operator of all) {
    const name = operator.number === CUSTOM ? codes[operator.table.int(0)]!.custom : '';
    if (tails.has(name) && operator.outputs.some((index) => own.includes(index))) return { ...operator, name };
  }
  return null;
}

/** Indices of the file's own outputs with what the decoder reads in place of what it makes. */
function headsOf({ outputs: own }: FileNetwork, { name, inputs, outputs }: TailOperator): number[] {
  const heads = tails.get(name)!.heads.map((i) => inputs[i] ?? -1);
  return [...heads, ...own.filter((index) => !outputs.includes(index))];
}

async function decodingOf(
  { builder, tensor, shortName, value: valueAt }: FileNetwork,
  { name, table, inputs, outputs }: TailOperator,
): Promise<Decoding> {
  const { heads, decoding } = tails.get(name)!;
  const node = shortName(outputs[0] ?? -1);
  const place: Place = {
    node,
    op: name,
    where: `inputs ${listed(inputs.map((i) => shortName(i)))}`,
    output: node,
  };
  const read = await decoding();
  return read({
    options: table.bytes(5),
    heads: heads.map((i) => tensor(inputs[i] ?? -1, `input ${i} of ${name}`)),
    constant: (i) => {
      const value = valueAt(inputs[i] ?? -1, `input ${i} of ${name}`);
      return value.kind === 'constant'
        ? value
        : builder.unsupported(place, `computes its input ${i}, expected a constant`);
    },
    fail: (message) => builder.damaged(place, message),
  });
}

export const ends = { decoders, tailOf, headsOf, decodingOf, cutBefore, endsOf };
