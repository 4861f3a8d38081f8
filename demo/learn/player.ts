/** Advances a time while it plays; never by itself where the person asked for reduced motion. */
export class Player {
  #time = 0;
  #end = 0;
  #step = 1;
  #perSecond = 1;
  #playing = false;
  #last = 0;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get time(): number {
    return this.#time;
  }

  get playing(): boolean {
    return this.#playing;
  }

  get atEnd(): boolean {
    return this.#time >= this.#end;
  }

  /** Begins anew, paused: a run of `end` that takes `seconds`, in steps of `step`. */
  reset(end: number, step: number, seconds: number): void {
    this.#end = end;
    this.#step = step;
    this.#perSecond = end / seconds;
    this.#time = 0;
    this.pause();
  }

  restart(): void {
    this.#time = 0;
    this.#onChange();
  }

  play(): void {
    if (this.#playing) return;
    if (this.atEnd) this.#time = 0;
    this.#playing = true;
    this.#last = performance.now();
    requestAnimationFrame(this.#tick);
    this.#onChange();
  }

  pause(): void {
    this.#playing = false;
    this.#onChange();
  }

  /** To a time, paused. */
  seek(time: number): void {
    this.#playing = false;
    this.#time = Math.min(this.#end, time);
    this.#onChange();
  }

  /** To the next whole step. */
  step(): void {
    this.#playing = false;
    this.#time = Math.min(this.#end, (Math.floor(this.#time / this.#step + 1e-9) + 1) * this.#step);
    this.#onChange();
  }

  readonly #tick = (now: number): void => {
    if (!this.#playing) return;
    // A page that was hidden for long goes on where it was.
    const passed = Math.min(100, Math.max(0, now - this.#last));
    this.#last = now;
    this.#time = Math.min(this.#end, this.#time + (passed / 1000) * this.#perSecond);
    if (this.atEnd) this.#playing = false;
    else requestAnimationFrame(this.#tick);
    this.#onChange();
  };
}
