/** Which pictures a command looks at: files, folders, globs and lists, and of them one share of several. */
import { readFile, stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { glob } from 'tinyglobby';
import { UsageError } from '../errors.ts';

/** What a folder is searched for. */
const pictures = '**/*.{jpg,jpeg,jpe,jfif,png,webp,bmp}';

/**
 * The files that arguments and lists name: a file, a folder with all below it, a pattern (`photos/**` and the like, where
 * there is no file of that name); a list has a path on each line, `-` is standard input. Each once, and in order of their
 * names where there are more than were named one by one. Throws `UsageError` where a folder, pattern or list has none.
 */
export async function pictureFiles(args: readonly string[], lists: readonly string[] = []): Promise<string[]> {
  const found: string[] = [];
  let sorted = false;
  for (const list of lists) {
    sorted = true;
    const lines = (await textOf(list)).split(/\r?\n/).filter(Boolean);
    if (lines.length === 0) throw new UsageError(`the list ${list} is empty, expected a path on each line`);
    found.push(...lines);
  }
  for (const arg of args) {
    const known = await stat(arg).catch(() => null);
    if (known ? !known.isDirectory() : !/[*?[{]/.test(arg)) {
      found.push(arg);
      continue;
    }
    sorted = true;
    const below = known
      ? (await glob(pictures, { cwd: arg, caseSensitiveMatch: false })).map(
          (path) => `${arg.replace(/\/+$/, '')}/${path}`,
        )
      : await glob(arg, { absolute: arg.startsWith('/') });
    if (below.length === 0) {
      throw new UsageError(`${arg} ${known ? 'holds no JPEG, PNG, WebP or BMP file' : 'matches no file, and is none'}`);
    }
    found.push(...below);
  }
  const files = [...new Set(found)];
  return sorted ? files.sort() : files;
}

async function textOf(list: string): Promise<string> {
  if (list === '-') return text(process.stdin);
  try {
    return await readFile(list, 'utf8');
  } catch (error) {
    throw new UsageError(`--list ${list} cannot be read: ${(error as Error).message}`);
  }
}

/** A share of the work: number `index`, from 1 on, of `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export const shardHelp = `--shard I/N looks at share I of N, from 1 on ({#}/N in GNU parallel). Without it the share is that of the task in a
Kubernetes indexed Job (JOB_COMPLETION_INDEX, with --shards N) or a Slurm array (SLURM_ARRAY_TASK_ID). Shares need not know
of one another: together they are all of the same list.`;

type Environment = Readonly<Record<string, string | undefined>>;

/** The share that is asked for, or that the environment gives; null: all. Throws `UsageError`. */
export function shardOf(shard: string | undefined, shards: string | undefined, env: Environment): Shard | null {
  const count = shards === undefined ? undefined : whole('--shards', shards, 1);
  if (shard !== undefined) {
    const [, index, of] = /^(\d+)\/(\d+)$/.exec(shard) ?? [];
    if (!index || !of) throw new UsageError(`--shard is "${shard}", expected a share such as 1/3`);
    if (count !== undefined && count !== Number(of)) {
      throw new UsageError(`--shard ${shard} and --shards ${shards} do not agree: leave --shards out`);
    }
    return checked({ index: Number(index), count: Number(of) }, `--shard ${shard}`);
  }
  if (env.JOB_COMPLETION_INDEX !== undefined) {
    const index = whole('JOB_COMPLETION_INDEX', env.JOB_COMPLETION_INDEX, 0) + 1;
    if (count === undefined) {
      throw new UsageError(
        'JOB_COMPLETION_INDEX says which share, and nothing of how many: pass --shards, the completions',
      );
    }
    return checked({ index, count }, `JOB_COMPLETION_INDEX ${env.JOB_COMPLETION_INDEX} of --shards ${shards}`);
  }
  if (env.SLURM_ARRAY_TASK_ID !== undefined) {
    const value = (name: string, least: number) => whole(name, env[name], least);
    const id = value('SLURM_ARRAY_TASK_ID', 0);
    const tasks = value('SLURM_ARRAY_TASK_COUNT', 1);
    if (count !== undefined && count !== tasks) {
      throw new UsageError(`--shards is ${shards}, and the Slurm array has ${tasks} tasks: leave --shards out`);
    }
    const step = env.SLURM_ARRAY_TASK_STEP === undefined ? 1 : value('SLURM_ARRAY_TASK_STEP', 1);
    const index = (id - value('SLURM_ARRAY_TASK_MIN', 0)) / step + 1;
    return checked({ index, count: tasks }, `SLURM_ARRAY_TASK_ID ${id}`);
  }
  if (count !== undefined)
    throw new UsageError('--shards says how many shares, and nothing of which: pass --shard I/N');
  return null;
}

function whole(name: string, text: string | undefined, least: number): number {
  if (/^\d+$/.test(text ?? '') && Number(text) >= least) return Number(text);
  throw new UsageError(
    `${name} is ${text === undefined ? 'missing' : `"${text}"`}, expected a whole number from ${least} on`,
  );
}

function checked(shard: Shard, what: string): Shard {
  if (Number.isInteger(shard.index) && shard.index >= 1 && shard.index <= shard.count) return shard;
  throw new UsageError(`${what} is share ${shard.index} of ${shard.count}: there is no such share`);
}

/** Every count-th file, so that each share has its part of every folder. */
export const shareOf = (files: readonly string[], shard: Shard | null): readonly string[] =>
  shard ? files.filter((_, i) => i % shard.count === shard.index - 1) : files;
