/** The command of the packed package, as npx runs it, and batches of pictures: ended, gone on with, shared out. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installAdvice } from '../../src/node/gpu.ts';
import type { Ended } from '../support/command.ts';
import { writePictures } from '../support/generated-pictures.ts';
import { npm, packPackage } from '../support/packed.ts';
import { modelFolder, withoutModels } from '../support/real-models.ts';
import { suite } from '../support/suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-command-'));
const bin = join(folder, 'package', 'dist', 'cli', 'bin.js');
const pictures = join(folder, 'pictures');
let files: string[] = [];
let tarball = '';

beforeAll(async () => {
  ({ tarball } = await packPackage(folder));
  files = writePictures(pictures, 200);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program to its end; `started` gets its process. */
function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  started?: (child: ReturnType<typeof spawn>) => void,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
    started?.(child);
  });
}

const command = (
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
  started?: Parameters<typeof run>[3],
) => run(process.execPath, [bin, ...args], env, started);

/** Of random weights, on 8 × 8 pixels shown at 32 × 32. */
const classify = ['classify', '--model', 'v1-0.25-32', '--range=-1,1', '--device', 'reference', '--top', '1'];

const resultsOf = (path: string): { file: string }[] =>
  readFileSync(join(folder, path), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

const namesOf = (path: string) => resultsOf(path).map(({ file }) => file);

it('says which commands there are, and each what it takes', async () => {
  const { code, stdout } = await command(['--help']);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/usage: mobilenet-webgpu COMMAND/)]);
  const names = [...stdout.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name!);
  expect(names).toHaveLength(10);
  const helps = await Promise.all(names.map((name) => command([name, '--help'])));
  for (const [i, help] of helps.entries()) {
    expect([names[i], help.code, help.stderr]).toEqual([names[i], 0, '']);
    expect(help.stdout).toContain(`usage: mobilenet-webgpu ${names[i]}`);
  }
  expect((await command(['doctor', '--no-such-flag'])).code).toBe(2);
  expect((await command(['paint'])).code).toBe(2);
});

describe('200 pictures', () => {
  it('ended in the middle and gone on with: nothing twice, nothing lost', async () => {
    const args = [...classify, '--out', 'resumed.jsonl', pictures];
    const path = join(folder, 'resumed.jsonl');
    const killed = await command(args, {}, (child) => {
      const watch = setInterval(() => {
        if (!existsSync(path) || readFileSync(path, 'utf8').split('\n').length <= 40) return;
        clearInterval(watch);
        child.kill('SIGKILL');
      }, 2);
      child.once('exit', () => clearInterval(watch));
    });
    expect(killed.code).toBe(-1);
    const before = readFileSync(path, 'utf8').split('\n').length - 1;
    expect(before).toBeGreaterThanOrEqual(40);
    expect(before).toBeLessThan(200);
    // As if the system had ended in the middle of a line.
    truncateSync(path, readFileSync(path).length - 9);
    const { code, stderr } = await command(args);
    expect([code, stderr]).toEqual([0, expect.stringContaining(`${before - 1} are done`)]);
    expect(namesOf('resumed.jsonl').sort()).toEqual(files);
    const again = await command(args);
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('0 pictures to look at; 200 are done')]);
    expect(namesOf('resumed.jsonl')).toHaveLength(200);
    const other = await command([
      'classify',
      '--model',
      'v1-0.5-32',
      '--range=-1,1',
      '--out',
      'resumed.jsonl',
      pictures,
    ]);
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(/is of the model v1-0\.25-32, and this run's is v1-0\.5-32/),
    ]);
  });

  it('in three shares by GNU parallel: together they are the whole', async ({ skip }) => {
    const parallel = (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, 'parallel')));
    skip(!parallel, 'GNU parallel is not installed');
    const line = [process.execPath, bin, ...classify, '--shard', '{#}/3', '--out', 'share-{#}.jsonl', pictures];
    const { code, stderr } = await run('parallel', ['--jobs', '2', line.join(' '), ':::', 'a', 'b', 'c']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('share 3 of 3')]);
    const shares = [1, 2, 3].map((share) => resultsOf(`share-${share}.jsonl`));
    expect(shares.map(({ length }) => length)).toEqual([67, 67, 66]);
    const byName = (a: { file: string }, b: { file: string }) => (a.file < b.file ? -1 : 1);
    expect(shares.flat().sort(byName)).toEqual(resultsOf('resumed.jsonl').sort(byName));
  });

  it.each([
    ['Kubernetes', { JOB_COMPLETION_INDEX: '1' }, ['--shards', '40']],
    [
      'Slurm',
      { SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_STEP: '2', SLURM_ARRAY_TASK_COUNT: '40' },
      [],
    ],
  ])('a share of forty as a task of %s', async (name, env, more) => {
    const out = `${name}.jsonl`;
    const { code } = await command([...classify, ...more, '--out', out, pictures], env);
    expect(code).toBe(0);
    expect(namesOf(out)).toEqual(files.filter((_, i) => i % 40 === 1));
  });
});

it('converts to half the download, and compares what that changes', async () => {
  const convert = (...args: string[]) => command(['convert', 'v2-0.35-32', '--device', 'reference', '--json', ...args]);
  const whole = JSON.parse((await convert('--out', 'whole.safetensors')).stdout);
  const half = JSON.parse((await convert('--out', 'half.safetensors', '--weights', 'float16')).stdout);
  expect(half.bytes / whole.bytes).toBeLessThan(0.55);
  expect(half.compared).toMatchObject({ inputs: 8, sameBest: 8 });
  expect(half.compared.largestDifference).toBeGreaterThan(0);
  expect(half.compared.largestDifference).toBeLessThan(0.01);
  const macs = async (model: string) => JSON.parse((await command(['inspect', model, '--json'])).stdout).macs;
  expect(await macs('half.safetensors')).toBe(await macs('whole.safetensors'));
});

it('npx with the tarball names a burger, without the package "webgpu"', async ({ skip }) => {
  skip(!modelFolder, withoutModels);
  const own = join(folder, 'npx');
  mkdirSync(own);
  cpSync(tarball, join(own, 'tarball.tgz'));
  cpSync(join(modelFolder, 'burger.jpg'), join(own, 'burger.jpg'));
  // The file of the catalogue, as if it had been fetched before.
  const cache = join(own, 'cache');
  const name = 'mobilenet_v1_0.25_224_1_default_1.tflite';
  mkdirSync(join(cache, 'mobilenet-webgpu', '446ec673881cd463'), { recursive: true });
  cpSync(join(modelFolder, name), join(cache, 'mobilenet-webgpu', '446ec673881cd463', name));
  const shown = await new Promise<Ended>((resolve) => {
    const env = { ...process.env, XDG_CACHE_HOME: cache, npm_config_cache: join(own, 'npm') };
    const child = spawn('npx', ['--yes', './tarball.tgz', 'classify', 'burger.jpg'], {
      cwd: own,
      env,
      shell: process.platform === 'win32',
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => (stdout += text));
    child.stderr.on('data', (text) => (stderr += text));
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^burger\.jpg: cheeseburger 9\d\.\d %/) });
  expect(shown.stderr).toContain(installAdvice);
});

it('the command that is printed where "webgpu" is missing installs it in an empty folder', async ({ skip }) => {
  skip(suite !== 'full', 'left to "npm run test:full": 132 MB');
  const own = join(folder, 'empty');
  mkdirSync(own);
  const [, ...args] = installAdvice.split(' ');
  await npm(own, ...args);
  await npm(own, 'install', '--no-save', tarball, 'webgpu');
  writeFileSync(
    join(own, 'use.mjs'),
    `import { load } from 'mobilenet-webgpu/node';
     const model = await load('v1-0.25-32', { device: 'webgpu' });
     console.log(model.device);
     process.exit(0);`,
  );
  expect(await run(process.execPath, [join(own, 'use.mjs')])).toMatchObject({ code: 0, stdout: 'webgpu\n' });
});
