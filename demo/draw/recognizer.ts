import { DeviceLostError, type LoadProgress, load, type Model, type ModelSource } from '../../src/index.ts';
import { isAbort } from '../ui/message.ts';
import { bestGuesses, drawingTensor, type Guess } from './classify.ts';
import type { Stroke } from './drawing.ts';

/** A model that can be opened, again too, should the GPU be lost. */
export interface OpenableModel {
  readonly title: string;
  readonly source: ModelSource;
  /** What class `index` is called, and its sign where it has one. */
  readonly label: (index: number, model: Model) => { readonly name: string; readonly char: string | null };
}

export interface Recognition {
  readonly guesses: readonly Guess[];
  /** From input upload to output readback. */
  readonly ms: number;
  readonly input: Float32Array;
}

/**
 * Holds the present model and classifies drawings with it. A newer drawing calls off the one before, and a model
 * takes over only once it has run: a bad file leaves everything as it was.
 */
export class Recognizer {
  #model: Model | null = null;
  #opened: OpenableModel | null = null;
  #newest = new AbortController();
  #opening = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  get model(): Model | null {
    return this.#model;
  }

  get opened(): OpenableModel | null {
    return this.#opened;
  }

  /** Throws what `load` throws, and `UsageError` where the model cannot look at a drawing. */
  async open(openable: OpenableModel, onProgress: (progress: LoadProgress) => void): Promise<void> {
    this.#opening.abort();
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    const model = await load(openable.source, { name: openable.title, signal, onProgress });
    try {
      bestGuesses(model, await model.run(drawingTensor(model, []), { signal }), 5);
      signal.throwIfAborted();
    } catch (error) {
      model.dispose();
      throw error;
    }
    const before = this.#model;
    this.#model = model;
    this.#opened = openable;
    this.#newest.abort();
    await this.#running;
    before?.dispose();
  }

  /** null: a newer drawing or model took its place. Loads the model again once if the GPU was lost. */
  async recognize(strokes: readonly Stroke[]): Promise<Recognition | null> {
    try {
      return await this.#classify(strokes);
    } catch (error) {
      if (!(error instanceof DeviceLostError) || !this.#opened) throw error;
      await this.open(this.#opened, () => {});
      return await this.#classify(strokes);
    }
  }

  /** Calls off what is running: its result is not wanted any more. */
  forget(): void {
    this.#newest.abort();
  }

  async #classify(strokes: readonly Stroke[]): Promise<Recognition | null> {
    this.#newest.abort();
    this.#newest = new AbortController();
    const { signal } = this.#newest;
    const model = this.#model;
    if (!model) return null;
    const input = drawingTensor(model, strokes);
    const start = performance.now();
    const running = model.run(input, { signal });
    this.#running = Promise.allSettled([this.#running, running]);
    try {
      const values = await running;
      const ms = performance.now() - start;
      return signal.aborted ? null : { guesses: bestGuesses(model, values, 5), ms, input };
    } catch (error) {
      if (signal.aborted || isAbort(error)) return null;
      throw error;
    }
  }
}
