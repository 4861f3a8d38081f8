/** Files of the catalogue on this machine: fetched once, by their hashes. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir, platform } from 'node:os';
import { basename, join } from 'node:path';
import { ModelFormatError } from '../errors.ts';
import type { CatalogueEntry } from '../node/index.ts';
import type { Io } from './io.ts';
import { progressBar } from './progress.ts';

/** XDG_CACHE_HOME, or where the system has its caches. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const own = { darwin: join(homedir(), 'Library/Caches'), win32: LOCALAPPDATA }[platform() as string];
  return join(XDG_CACHE_HOME || own || join(homedir(), '.cache'), 'mobilenet-webgpu');
}

/** The entry's file, fetched unless it is there and whole. Throws `ModelFormatError`. */
export async function cachedModel(entry: CatalogueEntry, io: Io): Promise<string> {
  const folder = join(cacheFolder(), entry.sha256.slice(0, 16));
  const file = join(folder, basename(new URL(entry.url).pathname));
  const there = await readFile(file).catch(() => null);
  if (there && isWhole(there, entry)) return file;
  const bytes = await download(entry, io);
  await mkdir(folder, { recursive: true });
  // In one step: several processes of a batch may fetch it at once.
  const next = `${file}.${process.pid}.new`;
  await writeFile(next, bytes);
  await rename(next, file);
  return file;
}

const isWhole = (bytes: Uint8Array, { sha256 }: CatalogueEntry): boolean =>
  createHash('sha256').update(bytes).digest('hex') === sha256;

/** The entry's bytes from its address. Throws `ModelFormatError` where they cannot be had, or are others. */
export async function download(entry: CatalogueEntry, io: Io): Promise<Uint8Array> {
  const { id, url, bytes: total } = entry;
  io.stderr.write(`fetching ${id}, ${(total / 1e6).toFixed(1)} MB, from ${url}\n`);
  const response = await fetch(url, { signal: io.signal }).catch((cause) => {
    io.signal.throwIfAborted();
    throw new ModelFormatError(
      url,
      `could not be fetched: ${cause.cause?.message ?? cause.message}; pass a file by its path`,
    );
  });
  if (!response.ok || !response.body) {
    throw new ModelFormatError(url, `answered ${response.status}; pass a file by its path`);
  }
  const bar = progressBar(io, total, 'bytes');
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body) {
    parts.push(part);
    length += part.length;
    bar.update(length, '');
  }
  bar.stop();
  const bytes = Buffer.concat(parts);
  if (isWhole(bytes, entry)) return bytes;
  throw new ModelFormatError(
    url,
    `is not the file that the catalogue knows (${length} bytes, another SHA-256); try again later`,
  );
}
