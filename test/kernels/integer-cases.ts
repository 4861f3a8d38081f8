/** Cases of kernels on stored integers: their bodies as JSON, whose constants are drawn where a case runs. */
import type { IntegerBody, IntegerKind, IntegerOf, StoredRange } from '../../src/graph/integers.ts';
import type { Shape } from '../../src/graph/ops.ts';
import { seededUniform } from '../../src/graph/random.ts';
import type { KernelCase } from './case.ts';

/** Constants that are drawn: a body without them. */
type Drawn = 'weights' | 'bias' | 'to' | 'table' | 'tables';

/** How results are requantised. */
interface Ends {
  readonly zeroPoint?: number;
  readonly range?: StoredRange;
  /** A multiplier for each channel; one for all unless given. */
  readonly perChannel?: boolean;
  /** Multipliers are powers of two, so that many results lie halfway between two integers. */
  readonly ties?: boolean;
  /** Biases of so many bits: sums are beyond what a float holds. */
  readonly biasBits?: number;
}

export type IntegerTemplate<K extends IntegerKind = IntegerKind> = {
  [Kind in K]: Omit<IntegerOf<Kind>, Drawn> & { readonly ends?: Ends };
}[K];

export function integerCase(
  title: string,
  body: IntegerTemplate,
  inputs: readonly Shape[],
  more: Partial<KernelCase> = {},
): KernelCase {
  return { title, node: { op: 'integer', body: body as unknown as IntegerBody }, inputs, ...more };
}

/** The template's body with seeded constants. */
export function drawBody(
  template: IntegerTemplate,
  inputs: readonly Shape[],
  noBias: boolean,
  seed: number,
): IntegerBody {
  const { ends = {}, ...body } = template;
  const random = seededUniform(seed);
  const bytes = (length: number) => Int8Array.from({ length }, () => Math.floor(random() * 256) - 128);
  const channels = inputs[0]![3];
  /** `products` of values and weights that spread so far are some 90 of the result's steps. */
  const to = (products: number, outputs: number) => {
    const usual = 90 / (Math.sqrt(products) * 74 * 74);
    const large = (ends.biasBits ?? 0) > 0 ? 90 / 2 ** ends.biasBits! : usual;
    const draw = () => (ends.ties ? 2 ** Math.round(Math.log2(large)) : Math.fround((0.5 + random()) * large));
    return {
      multipliers: Float32Array.from({ length: ends.perChannel ? outputs : 1 }, draw),
      zeroPoint: ends.zeroPoint ?? 0,
      range: ends.range ?? ([-128, 127] as const),
    };
  };
  const weighted = (products: number, outputs: number) => {
    const most = ends.biasBits ? 2 ** ends.biasBits : 74 * 74 * Math.sqrt(products);
    return {
      weights: bytes(products * outputs),
      bias: noBias ? null : Int32Array.from({ length: outputs }, () => Math.round((2 * random() - 1) * most)),
      to: to(products, outputs),
    };
  };
  switch (body.kind) {
    case 'conv2d': {
      const { kernel, groups, outChannels } = body as IntegerTemplate<'conv2d'>;
      return { ...body, ...weighted((kernel[0] * kernel[1] * channels) / groups, outChannels) } as IntegerBody;
    }
    case 'conv-transpose2d': {
      const { kernel, outChannels } = body as IntegerTemplate<'conv-transpose2d'>;
      return { ...body, ...weighted(kernel[0] * kernel[1] * channels, outChannels) } as IntegerBody;
    }
    case 'fully-connected': {
      const { outFeatures } = body as IntegerTemplate<'fully-connected'>;
      return { ...body, ...weighted(inputs[0]![1] * inputs[0]![2] * channels, outFeatures) } as IntegerBody;
    }
    case 'multiply':
      return { ...body, to: to(1, 1) } as IntegerBody;
    case 'mean': {
      const pixels = inputs[0]![1] * inputs[0]![2];
      const multiplier = ends.ties ? 2 ** -Math.ceil(Math.log2(pixels)) : Math.fround((0.5 + random()) / pixels);
      return { ...body, to: { ...to(1, 1), multipliers: Float32Array.of(multiplier) } } as IntegerBody;
    }
    case 'pairs':
      return { ...body, table: bytes(65536) } as IntegerBody;
    case 'lookup':
      return { ...body, table: bytes(256 * (ends.perChannel ? channels : 1)) } as IntegerBody;
    case 'concat':
      return {
        ...body,
        tables: inputs.map((_, i) => (ends.ties || i === 1 ? null : bytes(256))),
      } as unknown as IntegerBody;
    default:
      return body as IntegerBody;
  }
}

/** Zero points in turns: at their ends, in the middle, and between. */
export const zeroPoint = (turn: number): number => [-128, 127, 0, 31][turn % 4]!;

/** Sums in turns, from halves that are many to factors as large as runtimes make them. */
export function addition(turn: number): IntegerOf<'add'> {
  const [shift, factors] = (
    [
      [1, [1, 1]],
      [20, [2 ** 20 - 3, 2 ** 19 + 7]],
      [17, [2 ** 16 + 5, 2 ** 17 - 9]],
    ] as const
  )[turn % 3]!;
  return {
    kind: 'add',
    factors,
    zeroPoints: [zeroPoint(turn), zeroPoint(turn + 1)],
    shift,
    zeroPoint: zeroPoint(turn + 2),
    range: turn % 3 === 0 ? [-100, 90] : [-128, 127],
  };
}

/** A convolution's case as one of stored integers, zero points in turns at their ends, in the middle and at random. */
export function integerConv(testCase: KernelCase, turn: number, ends: Ends = {}): KernelCase {
  const { node, inputs, title, noBias = false } = testCase;
  if (node.op !== 'conv2d') throw new Error(`${node.op} is no convolution`);
  const { op: _, activation: __, ...geometry } = node;
  const body: IntegerTemplate<'conv2d'> = {
    kind: 'conv2d',
    ...geometry,
    inputZeroPoint: zeroPoint(turn),
    weightZeroPoint: [0, 0, 127, -128, 0, 9][turn % 6]!,
    ends: { zeroPoint: zeroPoint(turn + 1), perChannel: turn % 6 < 2, ...ends },
    ...(inputs.length > 1 ? { residual: addition(turn) } : {}),
  };
  return integerCase(`${title}, zeros ${body.inputZeroPoint} ${body.weightZeroPoint}`, body, inputs, { noBias });
}

/** Of a table some, every zero point and so on among them: for variants of a text that another runs all of. */
export const someOf = (cases: readonly KernelCase[]): KernelCase[] => cases.filter((_, i) => i % 8 === 0);

/**
 * A table of convolutions on real numbers, without what integers have not: activations but by their range, and residuals of several
 * groups.
 */
export const integerConvs = (cases: readonly KernelCase[]): KernelCase[] => [
  ...cases
    .filter(({ node, inputs }) => {
      if (node.op !== 'conv2d' || !/none|relu6/.test(node.activation)) return false;
      return inputs.length === 1 || node.groups === 1;
    })
    .map((testCase, i) => integerConv(testCase, i)),
  ...cases
    .slice(0, 4)
    .flatMap((testCase, i) => [
      integerConv({ ...testCase, title: `ties, ${testCase.title}` }, i, { ties: true }),
      integerConv({ ...testCase, title: `sums of 28 bits, ${testCase.title}` }, i, { biasBits: 28, perChannel: true }),
      integerConv({ ...testCase, title: `a range, ${testCase.title}` }, i, { range: [-100, 50] }),
    ]),
];
