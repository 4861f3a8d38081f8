/** Labels in the associated files of a TensorFlow Lite file: a ZIP archive appended to it (LiteRT's metadata guide). */
import { unzipSync } from 'fflate';
import { ModelFormatError } from '../../errors.ts';

/** What all lists of labels may take, unpacked. */
const MOST_BYTES = 1_000_000;

/**
 * The lines of the archive's text file that has one for each class, or null. Throws `ModelFormatError` where the archive
 * is damaged.
 */
export function archivedLabels(file: string, bytes: Uint8Array, classes: number): string[] | null {
  let entries: Record<string, Uint8Array>;
  let left = MOST_BYTES;
  try {
    entries = unzipSync(bytes, {
      filter({ name, originalSize, size }) {
        const bytes = Math.max(originalSize, size);
        if (!name.toLowerCase().endsWith('.txt') || bytes > left) return false;
        left -= bytes;
        return true;
      },
    });
  } catch (error) {
    throw new ModelFormatError(file, `has associated files that cannot be unpacked: ${(error as Error).message}`, {
      cause: error,
    });
  }
  for (const content of Object.values(entries)) {
    const lines = new TextDecoder().decode(content).replaceAll('\r', '').split('\n');
    while (lines.length > 0 && lines.at(-1) === '') lines.pop();
    if (lines.length === classes) return lines;
  }
  return null;
}
