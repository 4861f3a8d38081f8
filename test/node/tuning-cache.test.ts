import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileTuningCache } from '../../src/node/tuning-cache.ts';

const record = {
  engine: '1',
  fingerprintMs: 2,
  layers: { layer: { kernel: 'conv-pointwise', tried: [], refused: [] } },
};
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tuning-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('remembers by key, in a folder that is made', async () => {
  const path = join(folder, 'new', 'tuning.json');
  await fileTuningCache(path).set('a', record);
  await fileTuningCache(path).set('b', { ...record, fingerprintMs: 3 });
  expect(await fileTuningCache(path).get('a')).toEqual(record);
  expect(await fileTuningCache(path).get('b')).toMatchObject({ fingerprintMs: 3 });
  expect(await fileTuningCache(path).get('toString')).toBeUndefined();
});

it.each(['', '{"a": ', '[1]', 'null', '"text"'])('takes the file %j as empty, and replaces it', async (content) => {
  const path = join(folder, 'tuning.json');
  writeFileSync(path, content);
  expect(await fileTuningCache(path).get('a')).toBeUndefined();
  await fileTuningCache(path).set('a', record);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ a: record });
});

it('keeps what several models of a process remember at once', async () => {
  const path = join(folder, 'tuning.json');
  const keys = Array.from({ length: 6 }, (_, i) => `key ${i}`);
  await Promise.all(keys.map((key) => fileTuningCache(path).set(key, record)));
  expect(Object.keys(JSON.parse(readFileSync(path, 'utf8'))).sort()).toEqual(keys);
});

it('drops what another version wrote, and what was written longest ago', async () => {
  const path = join(folder, 'tuning.json');
  const cache = fileTuningCache(path);
  await cache.set('old', { ...record, engine: '0' });
  for (let i = 0; i < 12; i++) await cache.set(`key ${i % 10}`, record);
  expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')))).toEqual([4, 5, 6, 7, 8, 9, 0, 1].map((i) => `key ${i}`));
});
