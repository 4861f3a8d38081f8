import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { TuningCache } from '../index.ts';

/** Adapters and precisions that are remembered: of more, those written longest ago go. */
const MOST_RECORDS = 8;

/** The end of what this process has to write: one after another, as each keeps what those before it wrote. */
let writing: Promise<unknown> = Promise.resolve();

/**
 * Remembers the outcome of tuning in a JSON file, for the option `tuningCache`. A file that is not there or not whole is
 * as good as an empty one; it is replaced in one step, so that a process that dies leaves the old one.
 * What another version of the engine wrote is dropped then.
 */
export function fileTuningCache(path: string): TuningCache {
  const read = async (): Promise<Record<string, unknown>> => {
    try {
      const stored: unknown = JSON.parse(await readFile(path, 'utf8'));
      return typeof stored === 'object' && stored !== null && !Array.isArray(stored) ? { ...stored } : {};
    } catch {
      return {};
    }
  };
  const write = async (key: string, value: Parameters<TuningCache['set']>[1]): Promise<void> => {
    const others = Object.entries(await read()).filter(
      ([name, other]) => name !== key && (other as { engine?: unknown } | null)?.engine === value.engine,
    );
    const text = JSON.stringify(Object.fromEntries([...others.slice(1 - MOST_RECORDS), [key, value]]));
    await mkdir(dirname(path), { recursive: true });
    const next = `${path}.${process.pid}.new`;
    await writeFile(next, text);
    await rename(next, path);
  };
  return {
    async get(key: string): Promise<unknown> {
      const stored = await read();
      return Object.hasOwn(stored, key) ? stored[key] : undefined;
    },
    set(key: string, value: Parameters<TuningCache['set']>[1]): Promise<void> {
      const written = writing.then(() => write(key, value));
      writing = written.catch(() => {});
      return written;
    },
  };
}
