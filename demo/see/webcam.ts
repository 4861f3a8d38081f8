import { DeviceError } from '../../src/index.ts';

/** The visitor's camera; asked for when it is started, and not before. */
export class Webcam {
  readonly #video = document.createElement('video');
  #stream: MediaStream | null = null;

  constructor() {
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

  /** The next frame that is shown; of a hidden page there is none until it is seen again. */
  nextFrame(): Promise<void> {
    return new Promise((resolve) => {
      if ('requestVideoFrameCallback' in this.#video) this.#video.requestVideoFrameCallback(() => resolve());
      else requestAnimationFrame(() => resolve());
    });
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

/** Results a second, of the last second. */
export class Rate {
  readonly #times: number[] = [];

  add(now: number): number {
    this.#times.push(now);
    while (this.#times[0]! < now - 2000) this.#times.shift();
    const span = now - this.#times[0]!;
    return span > 0 ? (1000 * (this.#times.length - 1)) / span : 0;
  }
}
