/** Labels in the associated files of a TensorFlow Lite file: a ZIP archive appended to it (LiteRT's metadata guide). */
import { unzipSync } from 'fflate';
import { ModelFormatError } from '../../errors.ts';

/** What a list of labels may take, unpacked. */
const MOST_BYTES = 1_000_000;

/**
 * The lines of the archive's text file that has one for each class, or null. Throws `ModelFormatError` where the archive
 * is damaged.
 */
export function archivedLabels(file: string, bytes: Uint8Array, classes: number): string[] | null {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, {
      filter: ({ name, originalSize, size }) => /\.txt$/i.test(name) && Math.max(originalSize, size) <= MOST_BYTES,
    });
  } catch (error) {
    throw new ModelFormatError(file, `has associated files that cannot be unpacked: ${(error as Error).message}`, {
      cause: error,
    });
  }
  for (const content of Object.values(entries)) {
    const lines = new TextDecoder().decode(content).replace(/\r/g, '').replace(/\n+$/, '').split('\n');
    if (lines.length === classes) return lines;
  }
  return null;
}
