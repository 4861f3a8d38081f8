import { DeviceLostError } from '../errors.ts';
import { type Duel, duel, findPace, type Measure, type Pace } from '../scheduler/pace.ts';

/** A kernel that is ready to be timed on a layer. */
export interface Contender {
  readonly measure: Measure;
  /** Frees what it holds. */
  close(): void;
}

/** A kernel tried on a layer. */
export interface Tried {
  readonly kernel: string;
  /** Milliseconds of a dispatch; null where it was not timed: `reason` says why. */
  readonly ms: number | null;
  readonly reason?: string;
}

export interface RaceOptions {
  /** The kernel that runs unless another is clearly faster. */
  readonly usual: string;
  /** Those that were not tried yet. */
  readonly others: readonly string[];
  /** Makes one ready; throws why it cannot be used. */
  open(kernel: string): Promise<Contender>;
  /** The step of the clock, in milliseconds, as far as it is known. */
  stepMs(): number;
  /** Whether there is time for another kernel. */
  more(): boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface RaceResult {
  readonly chosen: string;
  readonly tried: readonly Tried[];
  /** Whether every kernel was tried. */
  readonly complete: boolean;
}

interface Champion extends Contender {
  readonly kernel: string;
  readonly pace: Pace;
}

/**
 * The usual kernel against each of the others in turn; who is clearly faster takes its place. Two are open at a time. A
 * kernel that cannot be used is recorded with its reason, and the rest go on; one that is usual gives way to any that
 * can. Throws the signal's reason, `DeviceLostError`.
 */
export async function race({ usual, others, open, stepMs, more, signal }: RaceOptions): Promise<RaceResult> {
  const tried: Tried[] = [];
  let champion = null as Champion | null;
  let complete = true;
  try {
    for (const kernel of [usual, ...others]) {
      signal?.throwIfAborted();
      if (!more()) {
        complete = false;
        break;
      }
      let contender: Contender | null = null;
      try {
        contender = await open(kernel);
        const pace = await findPace(contender.measure, stepMs);
        signal?.throwIfAborted();
        if (pace === null) {
          tried.push({ kernel, ms: null, reason: 'the clock gave no time' });
          continue;
        }
        const challenger: Champion = { ...contender, kernel, pace };
        const result: Duel = champion ? await duel(champion, challenger, stepMs) : { faster: true, ms: pace.ms };
        tried.push({ kernel, ms: result.ms });
        if (!result.faster) continue;
        champion?.close();
        champion = challenger;
        contender = null;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof DeviceLostError) throw error;
        tried.push({ kernel, ms: null, reason: error instanceof Error ? error.message : String(error) });
      } finally {
        contender?.close();
      }
    }
  } finally {
    champion?.close();
  }
  return { chosen: champion?.kernel ?? usual, tried, complete };
}
