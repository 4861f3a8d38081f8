/** How long the page's main thread does not come to its turn: what a person feels as a page that hangs. */
export class StallWatch {
  #longest = 0;
  #last = performance.now();
  readonly #channel = new MessageChannel();
  #watching = true;

  constructor() {
    this.#channel.port1.onmessage = () => this.#turn();
    this.#next();
  }

  #turn(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
    if (this.#watching) this.#next();
  }

  #next(): void {
    // A turn every few milliseconds, so that watching costs nothing that is measured.
    setTimeout(() => this.#channel.port2.postMessage(null), 4);
  }

  /** Milliseconds, the pause of the watch itself included; ends the watch. */
  stop(): number {
    this.#watching = false;
    this.#turn();
    this.#channel.port1.close();
    return this.#longest;
  }
}

/** The smallest step of the page's clock that is seen, in milliseconds: browsers round it. */
export function clockStep(): number {
  let least = Number.POSITIVE_INFINITY;
  const end = performance.now() + 5;
  for (let last = performance.now(); last < end; ) {
    const now = performance.now();
    if (now > last) least = Math.min(least, now - last);
    last = now;
  }
  return least;
}
