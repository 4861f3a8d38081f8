import { ModelFormatError, UsageError } from '../errors.ts';
import { checkEmbedding, type Ranked, ranked, read, write } from './ranked.ts';

/**
 * The classes of the examples that are most like a picture, by the cosine of the angle between embeddings: k nearest
 * neighbours (Cover and Hart 1967) have a vote each.
 */
export class NearestNeighbours {
  /** Of each class its examples, each of length 1. */
  readonly #examples = new Map<string, Float32Array[]>();
  #length = 0;

  /** Classes and how many examples each has. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#examples].map(([label, rows]) => [label, rows.length]));
  }

  /** Throws `UsageError` where the embedding is zero, or not like those before it. */
  add(label: string, embedding: Float32Array): void {
    const unit = this.#unit(embedding, this.#length || embedding.length);
    this.#length = unit.length;
    this.#examples.set(label, [...(this.#examples.get(label) ?? []), unit]);
  }

  /** Forgets a class with its examples. */
  remove(label: string): void {
    this.#examples.delete(label);
    if (this.#examples.size === 0) this.#length = 0;
  }

  /**
   * Every class with its share of the votes of the `k` nearest examples, the best first; of examples that are equally near,
   * those count that were added first. Throws `UsageError` where there are no examples.
   */
  classify(embedding: Float32Array, { k = 3 }: { readonly k?: number | undefined } = {}): Ranked[] {
    if (this.#examples.size === 0) throw new UsageError('there are no examples yet: add(label, embedding) some first');
    if (!(Number.isInteger(k) && k >= 1)) throw new UsageError(`k is ${k}, expected a whole number from 1 on`);
    const unit = this.#unit(embedding, this.#length);
    const labels = [...this.#examples.keys()];
    const likeness = labels.flatMap((label, at) =>
      this.#examples
        .get(label)!
        .map((row) => ({ at, cosine: row.reduce((sum, value, i) => sum + value * unit[i]!, 0) })),
    );
    const nearest = likeness.sort((a, b) => b.cosine - a.cosine).slice(0, k);
    const votes = new Float64Array(labels.length);
    for (const { at } of nearest) votes[at]! += 1 / nearest.length;
    return ranked(labels, votes);
  }

  /** One file (safetensors) with every example. */
  save(): Uint8Array<ArrayBuffer> {
    const labels = [...this.#examples.keys()];
    const matrices = labels.map((label, i): [string, readonly number[], Float32Array] => {
      const rows = this.#examples.get(label)!;
      const values = new Float32Array(rows.length * this.#length);
      rows.forEach((row, at) => {
        values.set(row, at * this.#length);
      });
      return [String(i), [rows.length, this.#length], values];
    });
    return write('neighbours', labels, matrices);
  }

  /** What `save` wrote. Throws `ModelFormatError`. */
  static load(bytes: Uint8Array): NearestNeighbours {
    const { labels, matrix } = read('neighbours', bytes);
    const loaded = new NearestNeighbours();
    for (const [i, label] of labels.entries()) {
      const { rows, columns, values } = matrix(String(i));
      for (let row = 0; row < rows; row++) {
        try {
          loaded.add(label, values.subarray(row * columns, (row + 1) * columns));
        } catch (error) {
          throw new ModelFormatError('neighbours', `example ${row} of "${label}": ${(error as Error).message}`);
        }
      }
    }
    return loaded;
  }

  #unit(embedding: Float32Array, length: number): Float32Array {
    checkEmbedding(embedding, length);
    const norm = Math.hypot(...embedding);
    if (norm === 0) throw new UsageError('the embedding is zero everywhere, which is like no other');
    return embedding.map((value) => value / norm);
  }
}
