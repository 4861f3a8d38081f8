import { DeviceError } from '../../src/index.ts';
import { canvasOf } from './picture.ts';

/** The visitor's camera; asked for when it is started, and not before. */
export class Webcam {
  readonly #video = document.createElement('video');
  readonly #onGone: (error: DeviceError) => void;
  #stream: MediaStream | null = null;

  /** `onGone`: the camera, which was running, gives no more pictures. */
  constructor(onGone: (error: DeviceError) => void) {
    this.#onGone = onGone;
    this.#video.muted = true;
    this.#video.playsInline = true;
  }

  get running(): boolean {
    return this.#stream !== null;
  }

  get video(): HTMLVideoElement {
    return this.#video;
  }

  /** Resolves with the first frame. Throws `DeviceError`, which says what to do. */
  async start(): Promise<void> {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new DeviceError(
        isSecureContext
          ? 'this browser has no camera for pages: choose a photograph instead'
          : 'a page gets the camera over https only (or on localhost): open it so, or choose a photograph instead',
      );
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: 'environment' },
      });
    } catch (cause) {
      throw new DeviceError(whyNot(cause as DOMException), { cause });
    }
    const text = 'the camera gives no more pictures: see whether it is still connected, and start it again';
    // Firefox 153 does not call listeners of a track.
    for (const track of this.#stream.getTracks()) track.onended = () => this.#onGone(new DeviceError(text));
    this.#video.srcObject = this.#stream;
    try {
      await this.#video.play();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }
}

/** More frames than this are not kept: a network that is so slow is shown on one that is later. */
const MOST_KEPT = 32;

/** Frames as they are shown, until the signal: results come when later ones are shown already. */
export class ShownFrames {
  readonly #kept: { readonly mediaTime: number; readonly canvas: HTMLCanvasElement }[] = [];
  #wake = () => {};

  constructor(video: HTMLVideoElement, signal: AbortSignal) {
    const ask = () => {
      if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback((_, { mediaTime }) => keep(mediaTime));
      else requestAnimationFrame(() => keep((video as HTMLVideoElement).currentTime));
    };
    // Without the first a page is drawn again and again with the same frame.
    const isNew = (mediaTime: number) =>
      'requestVideoFrameCallback' in video || this.#kept.at(-1)?.mediaTime !== mediaTime;
    const keep = (mediaTime: number) => {
      if (signal.aborted) return;
      ask();
      if (video.videoWidth === 0 || !isNew(mediaTime)) return;
      if (this.#kept.length === MOST_KEPT) this.#kept.shift();
      this.#kept.push({ mediaTime, canvas: canvasOf(video, video.videoWidth, video.videoHeight) });
      this.#wake();
    };
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    ask();
  }

  /** The next frame that is shown, or the signal's end; of a hidden page there is none until it is seen again. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** The frame at this place in the video, or the one after it; those before it are let go. Without a place the newest. */
  take(mediaTime = Number.POSITIVE_INFINITY): HTMLCanvasElement | undefined {
    while (this.#kept.length > 1 && this.#kept[1]!.mediaTime <= mediaTime) this.#kept.shift();
    return this.#kept[0]?.canvas;
  }
}

function whyNot({ name, message }: DOMException): string {
  switch (name) {
    case 'NotAllowedError':
      return 'the camera was refused: allow it for this page in the address bar, or choose a photograph instead';
    case 'NotFoundError':
      return 'there is no camera here: connect one, or choose a photograph instead';
    case 'NotReadableError':
      return 'the camera is used by another program: close that one, and start again';
    default:
      return `the camera could not be opened: ${message || name}`;
  }
}

/** Results a second, of the last two. */
export class Rate {
  readonly #times: number[] = [];

  add(now: number): number {
    this.#times.push(now);
    while (this.#times[0]! < now - 2000) this.#times.shift();
    const span = now - this.#times[0]!;
    return span > 0 ? (1000 * (this.#times.length - 1)) / span : 0;
  }
}
