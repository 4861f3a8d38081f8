/** Models of the catalogue with their labels, for a server of one's own. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../errors.ts';
import { type CatalogueEntry, catalogue } from '../node/index.ts';
import { runToExitCode } from './command.ts';
import type { Io } from './io.ts';
import { download } from './model-cache.ts';
import { table } from './table.ts';

const help = `usage: npm run fetch -- [--out FOLDER] [--json] ID…
       npm run fetch -- --list

Writes models of the catalogue, their labels and a list of SHA-256 hashes (SHA256SUMS) into a folder, to serve them
yourself: load('/models/FILE', { integrity: 'sha256-…' }). A file that is there and whole is not fetched again.
--list says which there are.`;

function parse(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      out: { type: 'string', default: 'models' },
      list: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (!values.list && positionals.length === 0)
    throw new UsageError('expected at least one ID; --list says which there are');
  return { ...values, ids: positionals };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

async function run({ out, list, json, ids }: ReturnType<typeof parse>, io: Io): Promise<number> {
  const known = await catalogue();
  if (list) {
    const rows = known.map(({ id, task, bytes, licence }) => [id, task, `${(bytes / 1e6).toFixed(1)} MB`, licence]);
    io.stdout.write(
      json ? `${JSON.stringify(known)}\n` : table([['id', 'task', 'size', 'licence'], ...rows], io.terminal?.columns),
    );
    return 0;
  }
  const entries = ids.map((id) => {
    const entry = known.find((each) => each.id === id);
    if (entry) return entry;
    throw new UsageError(`there is no "${id}" in the catalogue, expected ${known.map((each) => each.id).join(', ')}`);
  });
  await mkdir(out, { recursive: true });
  for (const entry of entries) {
    const written = await write(entry, out, io);
    io.stdout.write(
      json ? `${JSON.stringify({ id: entry.id, ...written })}\n` : `${written.file}: ${written.sha256}\n`,
    );
  }
  return 0;
}

async function write(entry: CatalogueEntry, folder: string, io: Io) {
  const file = join(folder, basename(new URL(entry.url).pathname));
  const there = await readFile(file).catch(() => null);
  if (!there || hash(there) !== entry.sha256) await writeFile(file, await download(entry, io));
  const written = new Map([[basename(file), entry.sha256]]);
  let labels: string | null = null;
  if (entry.labels === 'imagenet') {
    const { imagenetLabels } = await import('../labels/imagenet.ts');
    labels = join(folder, 'imagenet-labels.txt');
    const text = `${['background', ...imagenetLabels].join('\n')}\n`;
    await writeFile(labels, text);
    written.set(basename(labels), hash(Buffer.from(text)));
  }
  await addSums(folder, written);
  return { file, bytes: entry.bytes, sha256: entry.sha256, licence: entry.licence, labels, image: entry.image };
}

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** As `sha256sum --check SHA256SUMS` reads them. */
async function addSums(folder: string, written: ReadonlyMap<string, string>): Promise<void> {
  const path = join(folder, 'SHA256SUMS');
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  const others = lines.filter((line) => !written.has(line.slice(66)));
  const own = [...written].map(([name, sum]) => `${sum}  ${name}`);
  await writeFile(path, `${[...others, ...own].join('\n')}\n`);
}
