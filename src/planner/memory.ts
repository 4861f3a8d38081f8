/**
 * Places tensors in an arena of a few buffers by liveness.
 *
 * WebGPU tracks how a buffer is used a buffer at a time: a dispatch may not read one range of a buffer and write
 * another. So a tensor never shares a buffer with the tensors that its producer reads. A chain needs two buffers that
 * alternate; branches may need more.
 */

/** A tensor to place. Times are indices of dispatches; a graph input is written before the first, at −1. */
export interface LiveTensor {
  readonly name: string;
  /** Already rounded up to the alignment of storage bindings. */
  readonly bytes: number;
  /** Index of the dispatch that writes it. */
  readonly from: number;
  /** Index of the last dispatch that reads it. */
  readonly to: number;
  /** Tensors that the writing dispatch reads. */
  readonly readByProducer: readonly string[];
}

export interface MemoryPlan {
  /** Bytes of each buffer. */
  readonly buffers: readonly number[];
  readonly places: ReadonlyMap<string, { readonly buffer: number; readonly offset: number }>;
}

/** Assignments of tensors to buffers that are carried along; more find smaller arenas and take longer. */
const BEAM = 48;

/** More buffers than this are never opened: a dispatch reads a handful of tensors at most. */
const MOST_BUFFERS = 8;

interface Assignment {
  /** Buffer of each tensor so far. */
  readonly buffers: readonly number[];
  /** Largest sum of live bytes seen in each buffer. */
  readonly peaks: readonly number[];
  /** Their sum. */
  readonly bytes: number;
}

/**
 * Chooses a buffer and an offset for each tensor; `tensors` are in the order in which they are written. No buffer is larger
 * than `largest` bytes, but for a tensor that is so itself.
 */
export function placeTensors(tensors: readonly LiveTensor[], largest = Number.POSITIVE_INFINITY): MemoryPlan {
  const index = new Map(tensors.map((tensor, i) => [tensor.name, i]));
  let beam: Assignment[] = [{ buffers: [], peaks: [], bytes: 0 }];
  // Where all are alive at once, all assignments take as much.
  const width = tensors.every(({ from, to }) => from === tensors[0]!.from && to === tensors[0]!.to) ? 1 : BEAM;
  tensors.forEach((tensor, i) => {
    const alive = [...tensors.slice(0, i).keys()].filter((j) => tensors[j]!.to >= tensor.from);
    const next = beam.flatMap((assignment) => {
      const forbidden = new Set(tensor.readByProducer.map((name) => assignment.buffers[index.get(name)!]));
      const options: Assignment[] = [];
      const fresh = Math.min(assignment.peaks.length, MOST_BUFFERS - 1);
      for (let buffer = 0; buffer <= fresh; buffer++) {
        if (forbidden.has(buffer)) continue;
        let live = tensor.bytes;
        for (const j of alive) {
          if (assignment.buffers[j] === buffer) live += tensors[j]!.bytes;
        }
        const peaks = [...assignment.peaks];
        const peak = peaks[buffer] ?? 0;
        peaks[buffer] = Math.max(peak, live);
        const bytes = assignment.bytes + peaks[buffer]! - peak;
        options.push({ buffers: [...assignment.buffers, buffer], peaks, bytes });
      }
      return options;
    });
    next.sort((a, b) => a.bytes - b.bytes || a.peaks.length - b.peaks.length);
    beam = next.slice(0, width);
  });

  const placed = (limit: number) =>
    beam
      .slice(0, 8)
      .map(({ buffers, peaks }) => placeInBuffers(tensors, buffers, peaks.length, limit))
      .reduce((best, plan) => (total(plan.buffers) < total(best.buffers) ? plan : best));
  const free = placed(Number.POSITIVE_INFINITY);
  return Math.max(0, ...free.buffers) <= largest ? free : placed(largest);
}

/**
 * Within each buffer the largest tensors first, each at the lowest offset where nothing alive is in the way. One that
 * would end past `largest` goes to another buffer, a new one if need be.
 */
function placeInBuffers(
  tensors: readonly LiveTensor[],
  assigned: readonly number[],
  count: number,
  largest: number,
): MemoryPlan {
  const buffers = [...assigned];
  const sizes: number[] = new Array(count).fill(0);
  const places = new Map<string, { buffer: number; offset: number }>();
  const placed: { tensor: LiveTensor; buffer: number; offset: number }[] = [];
  const offsetIn = (buffer: number, tensor: LiveTensor): number => {
    const neighbours = placed
      .filter((other) => other.buffer === buffer && overlaps(other.tensor, tensor))
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of neighbours) {
      if (offset + tensor.bytes <= other.offset) break;
      offset = Math.max(offset, other.offset + other.tensor.bytes);
    }
    return offset;
  };
  const order = tensors.map((tensor, i) => ({ tensor, i }));
  order.sort((a, b) => b.tensor.bytes - a.tensor.bytes || a.tensor.from - b.tensor.from);
  for (const { tensor, i } of order) {
    const fits = (buffer: number) => offsetIn(buffer, tensor) + tensor.bytes <= largest;
    if (!fits(buffers[i]!)) {
      const apart = ({ name, readByProducer }: LiveTensor) =>
        tensor.readByProducer.includes(name) || readByProducer.includes(tensor.name);
      const forbidden = new Set(buffers.filter((_, j) => apart(tensors[j]!)));
      const other = [...sizes.keys(), sizes.length].find((buffer) => !forbidden.has(buffer) && fits(buffer));
      // Too large for any: whoever makes the buffers says so.
      buffers[i] = other ?? buffers[i]!;
    }
    const buffer = buffers[i]!;
    const offset = offsetIn(buffer, tensor);
    placed.push({ tensor, buffer, offset });
    places.set(tensor.name, { buffer, offset });
    sizes[buffer] = Math.max(sizes[buffer] ?? 0, offset + tensor.bytes);
  }
  return { buffers: sizes, places };
}

const overlaps = (a: LiveTensor, b: LiveTensor): boolean => a.from <= b.to && b.from <= a.to;

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** The largest sum of bytes of tensors that live at once: no arena can be smaller. */
export function peakBytes(tensors: readonly LiveTensor[]): number {
  return Math.max(
    0,
    ...tensors.map(({ from }) => total(tensors.filter((t) => t.from <= from && from <= t.to).map((t) => t.bytes))),
  );
}
