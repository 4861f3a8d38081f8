/** Seeded damage to small sound files of every format, and what becomes of each. */
import { MobileNetError } from '../../src/errors.ts';
import { seededUniform } from '../../src/graph/random.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { integerGraph } from '../../src/passes/integers.ts';
import { type Sound, soundFiles } from './sound-files.ts';

export const formats = Object.keys(soundFiles);

export interface Outcome {
  /** Files that ended in a typed error. */
  readonly refused: number;
  /** The first few other errors. */
  readonly untyped: readonly { readonly seed: number; readonly error: string }[];
  /** The file that took most CPU seconds, and the one for which most bytes were allocated. */
  readonly slowest: { readonly seed: number; readonly seconds: number };
  readonly largest: { readonly seed: number; readonly bytes: number };
}

/** Loads `files` damaged files of a format, of seeds from `first` on; `allocated` gives the bytes that were allocated so far. */
export async function mutate(format: string, files: number, allocated: () => number, first = 1): Promise<Outcome> {
  checkCounter(allocated);
  const whole = await soundFiles[format]!();
  const sound = await loadGraph(whole, { quantisation: true });
  if (sound.nodes.length < 2) throw new Error(`${format}: the sound file has no network`);
  if (format.startsWith('quantised')) integerGraph(sound);
  let refused = 0;
  const untyped: { seed: number; error: string }[] = [];
  let slowest = { seed: 0, seconds: 0 };
  let largest = { seed: 0, bytes: 0 };
  for (let seed = first; seed < first + files; seed++) {
    const source = damaged(whole, seed);
    const [before, start] = [allocated(), process.cpuUsage()];
    try {
      const graph = await loadGraph(source, { quantisation: true });
      inferShapes(graph);
      if (graph.quantisation) inferShapes(integerGraph(graph));
    } catch (error) {
      if (error instanceof MobileNetError) refused++;
      else if (untyped.length < 5) untyped.push({ seed, error: String((error as Error).stack ?? error) });
    }
    const { user, system } = process.cpuUsage(start);
    const [seconds, bytes] = [(user + system) / 1e6, allocated() - before];
    if (seconds > slowest.seconds) slowest = { seed, seconds };
    if (bytes > largest.bytes) largest = { seed, bytes };
  }
  return { refused, untyped, slowest, largest };
}

/** Throws unless `allocated` counts each way to come by a typed array, and no view. */
function checkCounter(allocated: () => number): void {
  const ways: readonly (() => unknown)[] = [
    () => new ArrayBuffer(800),
    () => new Float32Array(200),
    () => Float64Array.from({ length: 100 }, (_, i) => i),
    () => values.map((value) => -value),
    () => values.slice(),
    () => values.buffer.slice(0),
    () => new Uint8Array(values.buffer).slice(),
    () => new BigInt64Array(100).subarray(1),
  ];
  const values = new Float32Array(200);
  for (const way of ways) {
    const before = allocated();
    way();
    if (allocated() - before !== 800) throw new Error(`${way}: counted as ${allocated() - before} bytes, expected 800`);
  }
}

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
};

/** One to four changes: bits, bytes, digits, whole numbers at their ends, pieces left out, doubled or cut off. */
export function damaged(whole: Sound, seed: number): Sound {
  const { bytes, damageable = bytes.length } = whole;
  const random = seededUniform(seed);
  const below = (end: number) => Math.floor(random() * end);
  let out = bytes.slice();
  for (let change = 0; change <= below(4); change++) {
    const at = below(Math.min(damageable, out.length));
    const length = 1 + below(16);
    const [before, after] = [out.subarray(0, at), out.subarray(at + length)];
    switch (below(7)) {
      case 0:
        out[at]! ^= 1 << below(8);
        break;
      case 1:
        out[at] = below(256);
        break;
      case 2:
        out.set(
          [0x00, 0xff, 0x7f, 0x80].map((byte, i) => (i === 3 ? byte : 0xff * below(2))).slice(0, out.length - at),
          at,
        );
        break;
      case 3:
        out = joined(before, after);
        break;
      case 4:
        out = joined(out.subarray(0, at + length), out.subarray(at));
        break;
      case 5: {
        // The next number of a text grows.
        const digit = out.findIndex((byte, i) => i >= at && byte >= 0x30 && byte <= 0x39);
        if (digit >= 0)
          out = joined(joined(out.subarray(0, digit), digits.subarray(0, 1 + below(9))), out.subarray(digit));
        break;
      }
      default:
        if (below(4) === 0) out = out.slice(0, at);
    }
  }
  return { ...whole, bytes: out };
}

const digits = new TextEncoder().encode('987654321');
