/** A place on the pad, 0…1 from left to right and from top to bottom. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Stroke = readonly Point[];

/** The strokes that a person drew, with undo. It knows nothing of pixels, models or errors, so none of these lose it. */
export class Drawing extends EventTarget {
  #strokes: readonly Stroke[] = [];
  #past: (readonly Stroke[])[] = [];

  get strokes(): readonly Stroke[] {
    return this.#strokes;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  add(stroke: Stroke): void {
    if (stroke.length > 0) this.#become([...this.#strokes, stroke]);
  }

  /** Can be undone like a stroke. */
  clear(): void {
    if (this.#strokes.length > 0) this.#become([]);
  }

  undo(): void {
    const before = this.#past.pop();
    if (!before) return;
    this.#strokes = before;
    this.dispatchEvent(new Event('change'));
  }

  #become(strokes: readonly Stroke[]): void {
    this.#past.push(this.#strokes);
    this.#strokes = strokes;
    this.dispatchEvent(new Event('change'));
  }
}
