/** The command of the packed package, as npx runs it, and batches of pictures: ended, gone on with, shared out. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installAdvice } from '../../src/node/gpu.ts';
import type { Ended } from '../support/command.ts';
import { writePictures } from '../support/generated-pictures.ts';
import { manifest, npm, packPackage } from '../support/packed.ts';
import { readmeBlocks } from '../support/readme-blocks.ts';
import { modelFolder, withoutModels } from '../support/real-models.ts';
import { browsers, suite } from '../support/suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-command-'));
const batch = fileURLToPath(new URL('../../examples/batch/', import.meta.url));
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

/** The command, as scripts call it, with that model. */
function tiny(): string {
  const path = join(folder, 'tiny.sh');
  writeFileSync(path, `shift; exec "${process.execPath}" "${bin}" ${classify.join(' ')} "$@"\n`);
  return `sh ${path}`;
}

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
    const { code, stderr } = await run('sh', [join(batch, 'parallel.sh'), pictures, '3'], { MOBILENET_WEBGPU: tiny() });
    expect([code, stderr]).toEqual([0, expect.stringContaining('share 3 of 3')]);
    const shares = [1, 2, 3].map((share) => resultsOf(`results-${share}.jsonl`));
    expect(shares.map(({ length }) => length)).toEqual([67, 67, 66]);
    const byName = (a: { file: string }, b: { file: string }) => (a.file < b.file ? -1 : 1);
    expect(shares.flat().sort(byName)).toEqual(resultsOf('resumed.jsonl').sort(byName));
  });

  it('a task of a Slurm array, by its script', async () => {
    const array = { SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_STEP: '2', SLURM_ARRAY_TASK_COUNT: '40' };
    const env = { ...array, SLURM_ARRAY_TASK_ID: '79', MOBILENET_WEBGPU: tiny() };
    const { code, stderr } = await run('sh', [join(batch, 'slurm.sh'), pictures], env);
    expect([code, stderr]).toEqual([0, expect.stringContaining('share 40 of 40')]);
    expect(namesOf('results-79.jsonl')).toEqual(files.filter((_, i) => i % 40 === 39));
  });

  it('a pod of a Kubernetes indexed Job, by its manifest', async () => {
    const manifest = readFileSync(join(batch, 'kubernetes-job.yaml'), 'utf8');
    const [, completions] = /^ {2}completions: (\d+)$/m.exec(manifest)!;
    expect(manifest).toContain('completionMode: Indexed');
    const script = /args:\n +- >-\n((?: {14}.*\n)+)/.exec(manifest)![1]!.replace(/\s+/g, ' ');
    expect(script).toContain(`--shards ${completions} `);
    const here = script
      .replace('npx --yes mobilenet-webgpu', tiny())
      .replaceAll('/data/pictures', pictures)
      .replaceAll('/data', folder);
    rmSync(join(folder, 'results-2.jsonl'), { force: true });
    const { code, stderr } = await run('sh', ['-c', here], { JOB_COMPLETION_INDEX: '2' });
    expect([code, stderr]).toEqual([0, expect.stringContaining(`share 3 of ${completions}`)]);
    expect(namesOf('results-2.jsonl')).toEqual(files.filter((_, i) => i % Number(completions) === 2));
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

describe('npx with the tarball, in a folder without anything else', () => {
  const own = join(folder, 'npx');
  const cache = join(own, 'cache');
  beforeAll(() => {
    if (!modelFolder) return;
    mkdirSync(own);
    cpSync(tarball, join(own, 'tarball.tgz'));
    cpSync(join(modelFolder, 'burger.jpg'), join(own, 'burger.jpg'));
    // The file of the catalogue, as if it had been fetched before.
    const name = 'mobilenet_v1_0.25_224_1_default_1.tflite';
    mkdirSync(join(cache, 'mobilenet-webgpu', '446ec673881cd463'), { recursive: true });
    cpSync(join(modelFolder, name), join(cache, 'mobilenet-webgpu', '446ec673881cd463', name));
  });

  const classifyThere = (...args: string[]) =>
    new Promise<Ended>((resolve) => {
      const env = { ...process.env, XDG_CACHE_HOME: cache, npm_config_cache: join(own, 'npm') };
      const child = spawn('npx', ['--yes', './tarball.tgz', 'classify', 'burger.jpg', ...args], {
        cwd: own,
        env,
        shell: process.platform === 'win32',
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (text) => (stdout += text));
      child.stderr.on('data', (text) => (stderr += text));
      child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
    });

  it('names a burger without the package "webgpu"', async ({ skip }) => {
    skip(!modelFolder, withoutModels);
    const shown = await classifyThere();
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/^burger\.jpg: cheeseburger 9\d\.\d %/) });
    expect(shown.stderr).toContain(installAdvice);
  });

  it.for(browsers)('names it in a page of %s', async (browser, { skip }) => {
    skip(!modelFolder, withoutModels);
    skip(suite !== 'full' && browser !== 'chrome', 'left to "npm run test:full": a second browser');
    const { code, stdout } = await classifyThere('--browser', browser, '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ device: 'webgpu' })]);
    const [{ label, score }] = JSON.parse(stdout).top;
    expect([label, score > 0.9]).toEqual(['cheeseburger', true]);
  });
});

describe('in Node', () => {
  const own = join(folder, 'node');
  const example = fileURLToPath(new URL('../../examples/node/classify.mjs', import.meta.url));

  /** The example's own package, on the photograph. */
  async function classifyHere(): Promise<Ended> {
    const model = join(modelFolder, 'mobilenet_v1_0.25_224_1_default_1.tflite');
    return run(process.execPath, [join(own, 'classify.mjs'), join(modelFolder, 'burger.jpg'), model]);
  }

  beforeAll(async () => {
    mkdirSync(own);
    cpSync(example, join(own, 'classify.mjs'));
    writeFileSync(join(own, 'package.json'), '{ "type": "module" }');
    await npm(own, 'install', tarball, `@napi-rs/canvas@${manifest.devDependencies['@napi-rs/canvas']}`);
  });

  it('the example names a burger without the package "webgpu"', async ({ skip }) => {
    skip(!modelFolder, withoutModels);
    expect(await classifyHere()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^934 0\.9\d+ on reference\n$/),
    });
  });

  it("the README's program runs", async ({ skip }) => {
    skip(!modelFolder, withoutModels);
    const { node } = await readmeBlocks();
    expect(node).toHaveLength(1);
    mkdirSync(join(own, 'models'));
    cpSync(join(modelFolder, 'mobilenet_v1_0.25_224_1_default_1.tflite'), join(own, 'models', 'mobilenet.tflite'));
    writeFileSync(join(own, 'readme.mjs'), node[0]!);
    const script = "process.chdir('node'); await import('./node/readme.mjs')";
    const { code, stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^reference \[/)]);
  });

  it('and on Dawn, which the command that is printed installs', async ({ skip }) => {
    skip(suite !== 'full', 'left to "npm run test:full": 132 MB');
    skip(!modelFolder, withoutModels);
    const [, ...args] = installAdvice.split(' ');
    await npm(own, ...args);
    expect(await classifyHere()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^934 0\.9\d+ on webgpu\n$/) });
  });
});

it('the command that is printed where "webgpu" is missing installs it in an empty folder', async ({ skip }) => {
  skip(suite !== 'full', 'left to "npm run test:full": 132 MB');
  const own = join(folder, 'empty');
  mkdirSync(own);
  const [, ...args] = installAdvice.split(' ');
  await npm(own, ...args);
  writeFileSync(join(own, 'use.mjs'), "import { create } from 'webgpu'; console.log(typeof create); process.exit(0);");
  expect(await run(process.execPath, [join(own, 'use.mjs')])).toMatchObject({ code: 0, stdout: 'function\n' });
});
