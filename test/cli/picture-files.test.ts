import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pictureFiles, shardOf, shareOf } from '../../src/cli/picture-files.ts';
import { UsageError } from '../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'picture-files-'));
const at = (...names: string[]) => join(folder, ...names);
beforeAll(() => {
  mkdirSync(at('a', 'deep'), { recursive: true });
  mkdirSync(at('none'));
  for (const name of ['a/2.jpg', 'a/1.PNG', 'a/deep/3.webp', 'a/notes.txt', 'b[1].bmp']) writeFileSync(at(name), '');
  writeFileSync(at('list.txt'), `${at('a', '2.jpg')}\r\nelsewhere.jpg\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('files as they were named, folders with all below them, patterns and lists in order, each once', async () => {
  expect(await pictureFiles(['z.jpg', 'a.jpg', 'z.jpg'])).toEqual(['z.jpg', 'a.jpg']);
  const below = [at('a/1.PNG'), at('a/2.jpg'), at('a/deep/3.webp')];
  expect(await pictureFiles([`${at('a')}/`])).toEqual(below);
  expect(await pictureFiles([at('**/*.{jpg,webp}'), at('a')])).toEqual(below);
  // Brackets of a file's own name are no pattern.
  expect(await pictureFiles([at('b[1].bmp')])).toEqual([at('b[1].bmp')]);
  expect(await pictureFiles([at('a/2.jpg')], [at('list.txt')])).toEqual([at('a/2.jpg'), 'elsewhere.jpg'].sort());
});

it('what names nothing is refused', async () => {
  await expect(pictureFiles([at('none')])).rejects.toThrow(/none holds no JPEG, PNG, WebP or BMP/);
  await expect(pictureFiles([at('*.gif')])).rejects.toThrow(/\*\.gif matches no file/);
  await expect(pictureFiles([], [at('gone.txt')])).rejects.toThrow(UsageError);
});

describe('shares', () => {
  const index = (env: Record<string, string>, shard?: string, shards?: string) => shardOf(shard, shards, env);

  it('of a flag, a Kubernetes indexed Job, a Slurm array', () => {
    expect(index({})).toBeNull();
    expect(index({}, '2/3')).toEqual({ index: 2, count: 3 });
    expect(index({ JOB_COMPLETION_INDEX: '0' }, undefined, '3')).toEqual({ index: 1, count: 3 });
    expect(index({ JOB_COMPLETION_INDEX: '2' }, undefined, '3')).toEqual({ index: 3, count: 3 });
    // sbatch --array=10-18:4 has the tasks 10, 14 and 18.
    const slurm = { SLURM_ARRAY_TASK_MIN: '10', SLURM_ARRAY_TASK_STEP: '4', SLURM_ARRAY_TASK_COUNT: '3' };
    for (const [i, id] of ['10', '14', '18'].entries()) {
      expect(index({ ...slurm, SLURM_ARRAY_TASK_ID: id })).toEqual({ index: i + 1, count: 3 });
    }
    const plain = { SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '3', SLURM_ARRAY_TASK_ID: '3' };
    expect(index(plain)).toEqual({ index: 3, count: 3 });
    expect(index({ ...plain, JOB_COMPLETION_INDEX: '1' }, '1/2')).toEqual({ index: 1, count: 2 });
  });

  it.each([
    [{}, '0/3', undefined, /share 0 of 3/],
    [{}, '4/3', undefined, /share 4 of 3/],
    [{}, 'x', undefined, /expected a share such as 1\/3/],
    [{}, '1/3', '4', /do not agree/],
    [{}, undefined, '4', /nothing of which/],
    [{ JOB_COMPLETION_INDEX: '1' }, undefined, undefined, /pass --shards, the completions/],
    [{ JOB_COMPLETION_INDEX: '3' }, undefined, '3', /share 4 of 3/],
    [{ JOB_COMPLETION_INDEX: 'one' }, undefined, '3', /JOB_COMPLETION_INDEX is "one"/],
    [{ SLURM_ARRAY_TASK_ID: '1' }, undefined, undefined, /SLURM_ARRAY_TASK_COUNT is missing/],
    [
      { SLURM_ARRAY_TASK_ID: '1', SLURM_ARRAY_TASK_COUNT: '2' },
      undefined,
      undefined,
      /SLURM_ARRAY_TASK_MIN is missing/,
    ],
    [
      {
        SLURM_ARRAY_TASK_ID: '11',
        SLURM_ARRAY_TASK_MIN: '10',
        SLURM_ARRAY_TASK_STEP: '4',
        SLURM_ARRAY_TASK_COUNT: '3',
      },
      undefined,
      undefined,
      /there is no such share/,
    ],
  ] as const)('%o, --shard %s, --shards %s is refused', (env, shard, shards, message) => {
    expect(() => shardOf(shard, shards, env)).toThrow(message);
  });

  it('together are the whole, each once', () => {
    const files = Array.from({ length: 200 }, (_, i) => `${i}`);
    const shares = [1, 2, 3].map((share) => shareOf(files, { index: share, count: 3 }));
    expect(shares.map(({ length }) => length)).toEqual([67, 67, 66]);
    expect(shares.flat().sort()).toEqual([...files].sort());
    expect(shareOf(files, null)).toEqual(files);
  });
});
