/** Work that takes turns, first come, first served: as much at once as there are places. */
export class Turns {
  readonly #places: number;
  #taken = 0;
  /** What waits, in the order in which it starts. */
  readonly #waiting: { readonly places: number; readonly start: () => void }[] = [];

  constructor(places: number) {
    this.#places = places;
  }

  /**
   * Takes so many places. Null where they are free and nobody waits for any, else what to wait for: it rejects with the
   * signal's reason where that comes first, and no place is taken then.
   */
  enter(places: number, signal?: AbortSignal): Promise<void> | null {
    if (this.#waiting.length === 0 && this.#taken + places <= this.#places) {
      this.#taken += places;
      return null;
    }
    return new Promise((resolve, reject) => {
      const abandon = () => {
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        this.#advance();
        reject(signal!.reason);
      };
      const start = () => {
        signal?.removeEventListener('abort', abandon);
        resolve();
      };
      const entry = { places, start };
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      signal?.addEventListener('abort', abandon, { once: true });
      this.#waiting.push(entry);
    });
  }

  leave(places: number): void {
    this.#taken -= places;
    this.#advance();
  }

  #advance(): void {
    for (let next = this.#waiting[0]; next && this.#taken + next.places <= this.#places; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#taken += next.places;
      next.start();
    }
  }
}

/** Runs of one executor in flight at once: one on the GPU, one queued behind it, one being read. */
export const IN_FLIGHT = 3;

/** More than there can be runs in flight on a page. */
const WHOLE_PAGE = 2 ** 40;

/** Every run on this page, whatever its device: they share a GPU, and work that is timed must have all of it. */
const page = new Turns(WHOLE_PAGE);

/**
 * How much a piece of work needs: a `run` one of its executor's places; `setup`, which changes what runs share, all of
 * them; `timed` work all of them and the whole page.
 */
export type Need = 'run' | 'setup' | 'timed';

/** The order of an executor's runs among themselves and with timed work anywhere on the page. */
export class RunOrder {
  readonly #own = new Turns(IN_FLIGHT);

  /** Null where the work may begin at once, else what to wait for; rejects as `Turns.enter` does. */
  enter(need: Need, signal?: AbortSignal): Promise<void> | null {
    // Never the page first: who holds it waits for nobody.
    const own = this.#own.enter(ownPlaces(need), signal);
    if (!own) return this.#enterPage(need, signal);
    return own.then(async () => {
      await this.#enterPage(need, signal);
    });
  }

  #enterPage(need: Need, signal: AbortSignal | undefined): Promise<void> | null {
    const turn = page.enter(pagePlaces(need), signal);
    if (!turn) return null;
    return turn.catch((reason) => {
      this.#own.leave(ownPlaces(need));
      throw reason;
    });
  }

  leave(need: Need): void {
    page.leave(pagePlaces(need));
    this.#own.leave(ownPlaces(need));
  }
}

const ownPlaces = (need: Need): number => (need === 'run' ? 1 : IN_FLIGHT);
const pagePlaces = (need: Need): number => (need === 'timed' ? WHOLE_PAGE : 1);
