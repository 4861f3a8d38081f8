/** Reading JSON that nobody has checked. Only own properties count, so that no name reaches a prototype. */
import { ModelFormatError } from '../../errors.ts';

export type JsonRecord = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The property, or undefined where `value` is no object or lacks it. */
export const field = (value: unknown, key: string): unknown =>
  isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** The list, or an empty one where `value` is none. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A value for a message. */
export function shown(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 100) ?? 'undefined';
  } catch {
    return 'nested too deeply to be shown';
  }
}

/** Throws `ModelFormatError`. */
export function parseJson(file: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModelFormatError(file, `is no sound JSON: ${reason} (${bytes.length} bytes)`, { cause: error });
  }
}
