import { ModelFormatError, UsageError } from '../errors.ts';
import { parseJson } from '../loaders/core/json.ts';
import { readSafetensors, writeSafetensors } from '../loaders/safetensors/container.ts';

/** A class and its share of all, 0 … 1. */
export interface Ranked {
  readonly label: string;
  readonly score: number;
}

/** The best first; of equal ones, in the order in which they were made known. */
export const ranked = (labels: readonly string[], scores: ArrayLike<number>): Ranked[] =>
  labels.map((label, i) => ({ label, score: scores[i]! })).sort((a, b) => b.score - a.score);

/** Throws `UsageError` where an embedding has another length, or a number in it is not finite. */
export function checkEmbedding(embedding: Float32Array, length: number, what = 'the embedding'): void {
  if (embedding.length !== length || length === 0) {
    throw new UsageError(
      `${what} has ${embedding.length} numbers, expected ${length || 'some'}: of the same model, all`,
    );
  }
  const bad = embedding.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new UsageError(`${what} holds ${embedding[bad]} at ${bad}, expected finite numbers`);
}

type Tensors = Parameters<typeof writeSafetensors>[0];

/** A safetensors file of what was learnt, with the names of its classes. */
export const write = (kind: string, labels: readonly string[], tensors: Tensors): Uint8Array<ArrayBuffer> =>
  writeSafetensors(tensors, { format: `mobilenet-webgpu/${kind}`, version: '1', labels: JSON.stringify(labels) });

/** A matrix of a file. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** What `write` wrote of this kind. Throws `ModelFormatError`. */
export function read(kind: string, bytes: Uint8Array): { labels: string[]; matrix(tensor: string): Matrix } {
  const { metadata, tensors } = readSafetensors(kind, bytes);
  const { format, version, labels: text = '' } = metadata;
  if (format !== `mobilenet-webgpu/${kind}` || version !== '1') {
    throw new ModelFormatError(kind, `is "${format}" of version ${version}, expected what save() wrote, of version 1`);
  }
  const labels = parseJson(kind, new TextEncoder().encode(text));
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === 'string')) {
    throw new ModelFormatError(kind, 'the labels are no list of names');
  }
  const matrix = (name: string): Matrix => {
    const tensor = tensors.get(name);
    const [rows, columns, ...rest] = tensor?.shape ?? [];
    if (!tensor || rows === undefined || columns === undefined || rest.length > 0) {
      throw new ModelFormatError(kind, `tensor "${name}" is missing, or no matrix`);
    }
    if (tensor.dtype !== 'F32') throw new ModelFormatError(kind, `tensor "${name}" is ${tensor.dtype}, expected F32`);
    const values = new Float32Array(tensor.bytes.slice().buffer);
    if (values.every(Number.isFinite)) return { rows, columns, values };
    throw new ModelFormatError(kind, `tensor "${name}" holds what is no finite number`);
  };
  return { labels, matrix };
}
