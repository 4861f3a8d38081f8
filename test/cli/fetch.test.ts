/** Models of the catalogue for a server of one's own, and for commands: from their addresses, by their hashes. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/fetch.ts';
import { cachedModel } from '../../src/cli/model-cache.ts';
import { catalogue } from '../../src/index.ts';
import { runMain } from '../support/command.ts';
import { modelFolder, needModels } from '../support/real-models.ts';

const folder = mkdtempSync(join(tmpdir(), 'fetch-'));
const file = 'mobilenet_v1_0.25_224_1_default_1.tflite';
const io = { stdout: { write: () => {} }, stderr: { write: () => {} }, signal: new AbortController().signal };
/** Addresses that were asked for. */
let asked: string[] = [];

/** Every address answers with this. */
function answerWith(bytes: Uint8Array | null, status = 200): void {
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    return new Response(bytes && new Uint8Array(bytes), { status });
  });
}

beforeEach(() => {
  asked = [];
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});
afterAll(() => rmSync(folder, { recursive: true }));

it('lists the catalogue, in lines that fit a terminal', async () => {
  const { code, stdout } = await runMain(main, '--list', '--json');
  expect([code, JSON.parse(stdout)]).toEqual([0, await catalogue()]);
  expect((await runMain(main, '--list')).stdout).toMatch(/imagenet\/v1-0\.25 +classify +1\.9 MB +Apache-2\.0/);
  expect((await runMain(main)).code).toBe(2);
  const unknown = await runMain(main, '--out', join(folder, 'none'), 'imagenet/v9');
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    expect.stringMatching(/no "imagenet\/v9" in the catalogue, expected imagenet/),
  ]);
});

it.each([
  ['another file', new Uint8Array(1000), 200, /another SHA-256/],
  ['a page of an error', null, 403, /answered 403; pass a file by its path/],
])('refuses %s, and writes nothing', async (_what, bytes, status, message) => {
  answerWith(bytes, status);
  const out = join(folder, 'refused');
  const { code, stderr } = await runMain(main, '--out', out, 'imagenet/v1-0.25');
  expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  expect(readdirSync(out)).toEqual([]);
  const [entry] = await catalogue();
  await expect(cachedModel(entry!, io)).rejects.toThrow(message);
  expect(existsSync(join(folder, 'cache'))).toBe(false);
});

describe('the file that the catalogue knows', () => {
  needModels();

  it('is written with labels and sums once, and fetched again where it was damaged', async () => {
    const bytes = readFileSync(join(modelFolder, file));
    const out = join(folder, 'models');
    answerWith(bytes);
    for (const times of [1, 1, 2]) {
      if (times === 2) writeFileSync(join(out, file), 'damaged');
      const { code, stdout } = await runMain(main, '--out', out, '--json', 'imagenet/v1-0.25');
      expect([code, asked.length]).toEqual([0, times]);
      expect(JSON.parse(stdout)).toMatchObject({ id: 'imagenet/v1-0.25', licence: 'Apache-2.0', bytes: bytes.length });
    }
    expect(readdirSync(out).sort()).toEqual(['SHA256SUMS', 'imagenet-labels.txt', file].sort());
    expect(readFileSync(join(out, 'imagenet-labels.txt'), 'utf8').trimEnd().split('\n')).toHaveLength(1001);
    const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
    expect(sums).toHaveLength(2);
    for (const line of sums) {
      const [sum, name] = line.split('  ');
      expect(
        createHash('sha256')
          .update(readFileSync(join(out, name!)))
          .digest('hex'),
      ).toBe(sum);
    }
  });

  it('is kept for commands', async () => {
    const [entry] = await catalogue();
    answerWith(readFileSync(join(modelFolder, file)));
    const paths = [await cachedModel(entry!, io), await cachedModel(entry!, io)];
    expect([paths[0], asked.length]).toEqual([paths[1], 1]);
    expect(readFileSync(paths[0]!).length).toBe(entry!.bytes);
  });
});
