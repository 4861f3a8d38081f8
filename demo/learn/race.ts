/** Sizes of the lesson: an n × n input of n_c channels, f × f filters, n_c′ output channels. */
export interface Sizes {
  readonly n: number;
  readonly f: number;
  readonly nc: number;
  readonly nk: number;
}

/** Multiplications of each way, from the engine's cost functions, and the output's side. */
export interface Counts {
  readonly outputSide: number;
  readonly normal: number;
  readonly depthwise: number;
  readonly pointwise: number;
}

/** Where a sliding filter stands: which sheet (channel) of its output, which place there. */
export interface Position {
  readonly sheet: number;
  readonly row: number;
  readonly column: number;
}

/** One way, or one step of it, after some multiplications. */
export interface Progress {
  /** Output values that are finished. */
  readonly finished: number;
  /** The value that is being computed, or null before the start and after the end. */
  readonly at: Position | null;
  /** Multiplications done. */
  readonly done: number;
}

export interface RaceState {
  readonly normal: Progress;
  /** Input channel that the normal filter multiplies just now. */
  readonly normalChannel: number;
  readonly depthwise: Progress;
  readonly pointwise: Progress;
}

/**
 * Both ways after `time` multiplications each, one value after the other: sheet by sheet, row by row. So the cheaper
 * way ends earlier.
 */
export function raceAt(time: number, { nc, nk }: Sizes, counts: Counts): RaceState {
  const { outputSide, normal, depthwise, pointwise } = counts;
  const perNormal = normal / (outputSide ** 2 * nk);
  const normalProgress = progress(time, normal, outputSide, nk);
  return {
    normal: normalProgress,
    normalChannel: Math.min(nc - 1, Math.floor(((time % perNormal) / perNormal) * nc)),
    depthwise: progress(time, depthwise, outputSide, nc),
    pointwise: progress(time - depthwise, pointwise, outputSide, nk),
  };
}

function progress(time: number, total: number, side: number, sheets: number): Progress {
  const values = side ** 2 * sheets;
  if (time <= 0) return { finished: 0, at: null, done: 0 };
  if (time >= total) return { finished: values, at: null, done: total };
  const finished = Math.floor((time * values) / total);
  const place = finished % side ** 2;
  return {
    finished,
    at: { sheet: Math.floor(finished / side ** 2), row: Math.floor(place / side), column: place % side },
    done: time,
  };
}
