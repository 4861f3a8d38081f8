/** Results of a video, of the newest frame each. */
import { unlessAborted } from './device/unless-aborted.ts';
import { UsageError } from './errors.ts';
import type { PictureSource } from './images/picture-source.ts';

export interface StreamResult<T> {
  readonly result: T;
  /** Seconds in the video of the frame that it is of. */
  readonly mediaTime: number;
  /** Milliseconds since that frame was shown. */
  readonly age: number;
  /** Frames shown since the stream began that no result is of, this one's place in the video included. */
  readonly dropped: number;
}

/** What a stream does beside what it asks of each frame. */
export interface StreamTiming {
  /** Results a second at most; default: as many as there can be. */
  readonly maxFps?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const tasks = ['classify', 'embed', 'detect', 'pose', 'segment'] as const;
type Task = (typeof tasks)[number];
type Look<T> = (frame: PictureSource, options: object) => Promise<T>;

/** Of a `Model`. */
type Looking = Readonly<Record<Task, unknown>> & {
  readonly device: string;
  readonly adapter: { readonly software: boolean } | null;
};

/**
 * What a model's method of the name `task` says of each frame; the other options are that method's, but that `resize` is
 * `browser` unless given where a software adapter or the CPU's engine runs.
 */
export function streamOf<T>(
  model: Looking,
  video: HTMLVideoElement,
  {
    task = 'classify',
    maxFps,
    ...options
  }: StreamTiming & { readonly task?: Task; readonly resize?: string | undefined },
): AsyncGenerator<StreamResult<T>, void, undefined> {
  if (!tasks.includes(task)) throw new UsageError(`task is "${task}", expected ${tasks.join(', ')}`);
  const look = (frame: PictureSource) => {
    // What runs may change meanwhile.
    const shrinks = model.device === 'wasm' || model.adapter?.software;
    const resize = options.resize ?? (shrinks ? 'browser' : undefined);
    return (model[task] as Look<T>).call(model, frame, { ...options, resize });
  };
  return stream(video, look, { ...options, maxFps });
}

/** A frame that was shown. */
interface Frame {
  readonly mediaTime: number;
  /** By `performance.now`. */
  readonly shown: number;
  /** How many there were by then, the first being 1. */
  readonly number: number;
}

/**
 * Looks at the newest frame of a playing video as soon as it can, until the video ends. Throws what looking throws, or the
 * signal's reason. It rests while nothing is shown: the video is paused, the page hidden or in the back/forward cache.
 */
export async function* stream<T>(
  video: HTMLVideoElement,
  look: (frame: PictureSource) => Promise<T>,
  { maxFps = Number.POSITIVE_INFINITY, signal }: StreamTiming,
): AsyncGenerator<StreamResult<T>, void, undefined> {
  if (!(maxFps > 0)) throw new UsageError(`maxFps is ${maxFps}, expected a number above 0`);
  if (!('videoWidth' in Object(video))) throw new UsageError('stream takes a video element, one that plays');
  signal?.throwIfAborted();
  const frames = new Frames(video);
  const underWay: Promise<StreamResult<T>>[] = [];
  let seen = 0;
  let due = 0;
  /** When the latest result came, and the milliseconds from one to the next. */
  let latest = 0;
  let spacing = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const now = performance.now();
      // A second is begun in time to follow the first without a pause, and no sooner: it would only age.
      const begin = [due, Math.max(due, latest + spacing / 2)][underWay.length] ?? Number.POSITIVE_INFINITY;
      // A frame that comes a little early is better than the one after it.
      if (frames.newest && now >= begin - 2) {
        due = Math.max(due + 1000 / maxFps, now);
        const { mediaTime, shown, number } = frames.take();
        seen++;
        const dropped = number - seen;
        const one = look(video).then((result) => ({ result, mediaTime, dropped, age: performance.now() - shown }));
        // Told where it is waited for.
        one.catch(() => {});
        underWay.push(one);
        continue;
      }
      const [oldest] = underWay;
      if (!oldest && frames.ended) return;
      // What comes first: a result, a frame, the time for one that is there, or the end.
      let timer: ReturnType<typeof setTimeout> | undefined;
      const waiting: Promise<unknown>[] = oldest ? [oldest.then(() => arrived)] : [];
      if (!frames.ended) waiting.push(frames.change());
      if (frames.newest && Number.isFinite(begin)) {
        waiting.push(
          new Promise<void>((resolve) => {
            timer = setTimeout(resolve, begin - now);
          }),
        );
      }
      const came = await unlessAborted(Promise.race(waiting), signal);
      clearTimeout(timer);
      if (came !== arrived) continue;
      const arrival = performance.now();
      spacing = latest ? Math.min(2 * spacing || arrival, arrival - latest) : 0;
      latest = arrival;
      underWay.shift();
      yield await oldest!;
    }
  } finally {
    frames.stop();
  }
}

const arrived = Symbol('arrived');

/** The frames of a video as they are shown. */
class Frames {
  /** The latest that was not taken. */
  newest: Frame | null = null;
  ended = false;
  readonly #video: HTMLVideoElement;
  readonly #listening = new AbortController();
  #count = 0;
  /** How many frames the browser had shown at the one before; unknown after a rest. */
  #presented: number | null = null;
  #wake = () => {};
  #changed: Promise<void>;
  /** Takes back what was asked of the browser. */
  #disarm = () => {};

  constructor(video: HTMLVideoElement) {
    this.#video = video;
    this.#changed = this.#nextChange();
    const { signal } = this.#listening;
    video.addEventListener('ended', () => this.#end(), { signal });
    // A page that was hidden or kept in the cache may have lost what it asked for.
    for (const [target, event] of [
      [globalThis.document, 'visibilitychange'],
      [globalThis, 'pageshow'],
    ] as const) {
      target?.addEventListener?.(event, () => this.#resume(), { signal });
    }
    this.ended = video.ended;
    this.#arm();
  }

  take(): Frame {
    const frame = this.newest!;
    this.newest = null;
    return frame;
  }

  /** The next frame, or the end. */
  change(): Promise<void> {
    return this.#changed;
  }

  stop(): void {
    this.#disarm();
    this.#listening.abort();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #changes(): void {
    const wake = this.#wake;
    this.#changed = this.#nextChange();
    wake();
  }

  #end(): void {
    this.ended = true;
    this.#changes();
  }

  #resume(): void {
    this.#disarm();
    this.#presented = null;
    if (globalThis.document?.visibilityState !== 'hidden') this.#arm();
  }

  #arm(): void {
    const video = this.#video;
    if ('requestVideoFrameCallback' in video) {
      const id = video.requestVideoFrameCallback((now, { mediaTime, presentedFrames }) => {
        this.#show(mediaTime, now, presentedFrames);
        this.#arm();
      });
      this.#disarm = () => video.cancelVideoFrameCallback(id);
      return;
    }
    // Without it, whatever the video is at when the page is drawn.
    const last = (video as HTMLVideoElement).currentTime;
    const id = requestAnimationFrame((now) => {
      const { currentTime, readyState } = video as HTMLVideoElement;
      if (readyState >= 2 && currentTime !== last) this.#show(currentTime, now, null);
      this.#arm();
    });
    this.#disarm = () => cancelAnimationFrame(id);
  }

  #show(mediaTime: number, shown: number, presented: number | null): void {
    const missed = presented === null || this.#presented === null ? 0 : presented - this.#presented - 1;
    this.#presented = presented;
    this.#count += 1 + Math.max(0, missed);
    this.newest = { mediaTime, shown, number: this.#count };
    this.#changes();
  }
}
