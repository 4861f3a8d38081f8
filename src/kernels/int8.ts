/** What kernels of stored integers share: how they are defined, their prelude and fragments, and constants as words. */
import add from '../../shaders/fragments/int8-add.wgsl?raw';
import convolution from '../../shaders/fragments/int8-convolution.wgsl?raw';
import entry from '../../shaders/fragments/int8-entry.wgsl?raw';
import requantise from '../../shaders/fragments/int8-requantise.wgsl?raw';
import outputPixel from '../../shaders/fragments/output-pixel.wgsl?raw';
import prelude from '../../shaders/int8-prelude.wgsl?raw';
import type {
  Integer,
  IntegerAdd,
  IntegerKind,
  IntegerOf,
  IntegerWeights,
  Requantisation,
  StoredRange,
} from '../graph/integers.ts';
import type { Conv2d } from '../graph/ops.ts';
import { realNode } from '../graph/real-node.ts';
import { ceilDiv, defineKernel, type Kernel, type NodeShapes, type PackedConstant, type Program } from './kernel.ts';

export const int8Prelude = { file: 'int8-prelude.wgsl', source: prelude } as const;

/** Flags: bytes are read and written, and nothing is added. */
const bytes = { REAL_SRC: false, REAL_DST: false, QUANTISE: false, RESIDUAL: false };

/** A kernel for one kind of body; its program is completed with what all of them have. */
interface IntegerKernel<K extends IntegerKind> extends Pick<Kernel, 'name' | 'requires'> {
  accepts?(body: IntegerOf<K>, shapes: NodeShapes): boolean;
  suits?(body: IntegerOf<K>, shapes: NodeShapes): boolean;
  program(body: IntegerOf<K>, shapes: NodeShapes): Program;
  constants?(body: IntegerOf<K>, shapes: NodeShapes): readonly PackedConstant[];
}

export function defineInteger<K extends IntegerKind>(
  kinds: readonly K[],
  { name, requires, accepts, suits, program, constants }: IntegerKernel<K>,
): Kernel {
  const of = ({ body }: Integer) => body as IntegerOf<K>;
  return defineKernel<Integer>({
    name,
    op: 'integer',
    ...(requires ? { requires } : {}),
    accepts: (node, shapes) => kinds.includes(node.body.kind as K) && (accepts?.(of(node), shapes) ?? true),
    suits: (node, shapes) => suits?.(of(node), shapes) ?? true,
    program(node, shapes) {
      const made = program(of(node), shapes);
      return {
        ...made,
        prelude: int8Prelude,
        constants: { ...bytes, ...made.constants },
        fragments: {
          'int8-add': add,
          'int8-convolution': convolution,
          'int8-entry': entry,
          'int8-requantise': requantise,
          'output-pixel': outputPixel,
          ...made.fragments,
        },
      };
    },
    constants: (node, shapes) => constants?.(of(node), shapes) ?? [],
  });
}

/** The convolution on real numbers whose geometry a body has. */
export const geometryOf = (body: IntegerOf<'conv2d'>): Conv2d =>
  realNode({ op: 'integer', name: '', inputs: [''], output: '', body }) as Conv2d;

/** Fields of a `struct Shape` by which sums are requantised. */
export const endsOf = ({ range, zeroPoint }: { readonly range: StoredRange; readonly zeroPoint: number }) => ({
  least: range[0] - zeroPoint,
  most: range[1] - zeroPoint,
  zero_point: zeroPoint,
});

/** Fields of a `struct Shape` for the fragment int8-add, but for the ends of its result. */
export const addendsOf = ({ zeroPoints, factors, shift }: Pick<IntegerAdd, 'zeroPoints' | 'factors' | 'shift'>) => ({
  a_zero: zeroPoints[0],
  b_zero: zeroPoints[1],
  a_factor: factors[0],
  b_factor: factors[1],
  shift,
});

/** Those that are not read. */
export const noAddends = addendsOf({ zeroPoints: [0, 0], factors: [0, 0], shift: 1 });

/** A stored integer in each byte of a word. */
export const wordOf = (stored: number): number => ((stored & 255) * 0x01010101) >>> 0;

/**
 * Words of four inputs that may be summed in floats: |x| ≤ 128 and |w| ≤ 128 keep 1024 products at most 2^24, and |w| ≤ 255, where
 * weights have a zero point, 512.
 */
export const chunkOf = ({ weightZeroPoint }: IntegerWeights): number => (weightZeroPoint === 0 ? 256 : 128);

export const wordsConstant = (elements: number, pack: () => Uint32Array): PackedConstant => ({
  elements,
  precision: 'words',
  pack,
});

/** Stored integers, four to a word. */
export const bytesConstant = (length: number, fill: (bytes: Int8Array) => void): PackedConstant =>
  wordsConstant(ceilDiv(length, 4), () => {
    const words = new Uint32Array(ceilDiv(length, 4));
    fill(new Int8Array(words.buffer));
    return words;
  });

/**
 * For each output channel, in fours up to `channels4`, bias and multiplier: bias − inputZeroPoint · Σ (w − weightZeroPoint) where
 * the sums are of x · (w − weightZeroPoint), with x for x − inputZeroPoint; the bias alone where `folded` is false.
 */
export function channelsConstant(
  { weights, weightZeroPoint, inputZeroPoint, bias, to }: IntegerWeights & { readonly to: Requantisation },
  outputs: number,
  channels4: number,
  folded = true,
): PackedConstant {
  return wordsConstant(8 * channels4, () => {
    const words = new Uint32Array(8 * channels4);
    const integers = new Int32Array(words.buffer);
    const floats = new Float32Array(words.buffer);
    const sums = new Int32Array(outputs);
    if (folded && inputZeroPoint !== 0) {
      for (let from = 0; from < weights.length; from += outputs) {
        for (let o = 0; o < outputs; o++) sums[o]! += weights[from + o]! - weightZeroPoint;
      }
    }
    for (let o = 0; o < outputs; o++) {
      const at = 8 * (o >> 2) + (o & 3);
      integers[at] = (bias ? bias[o]! : 0) - Math.imul(inputZeroPoint, sums[o]!);
      floats[at + 4] = to.multipliers[to.multipliers.length === 1 ? 0 : o]!;
    }
    return words;
  });
}

/**
 * `[rows][inputs][outputs]` → `[rows][⌈inputs / 4⌉][quads]` of four words, those of four outputs, each of four inputs; `quadOf`: where
 * the quad of output 4 · i is. Lanes past the last input hold the zero point, as they count for nothing.
 */
export function packQuads(
  bytes: Int8Array,
  { weights, weightZeroPoint }: IntegerWeights,
  [rows, inputs, outputs]: readonly [number, number, number],
  quads: number,
  quadOf = (output4: number) => output4,
): void {
  if (weightZeroPoint !== 0) bytes.fill(weightZeroPoint);
  const inputs4 = ceilDiv(inputs, 4);
  const places = Int32Array.from({ length: outputs }, (_, o) => 16 * quadOf(o >> 2) + 4 * (o & 3));
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < inputs; i++) {
      const from = (row * inputs + i) * outputs;
      const to = 16 * (row * inputs4 + (i >> 2)) * quads + (i & 3);
      for (let o = 0; o < outputs; o++) bytes[to + places[o]!] = weights[from + o]!;
    }
  }
}
