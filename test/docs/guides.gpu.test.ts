/** Every block of TypeScript and JavaScript in the guides, and in docs/pictures.md, runs: those for pages in Chromium, those for Node on the CPU reference. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { runPasses } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { writeTeachableMachine } from '../support/teachable-machine.ts';
import { blocksOf, documents } from './documents.ts';

const blocks = documents()
  .filter(({ path }) => path.startsWith('docs/guides/') || path === 'docs/pictures.md')
  .flatMap(blocksOf)
  .filter(({ language }) => ['js', 'ts'].includes(language));
const isForNode = (code: string) => code.includes('mobilenet-webgpu/node');

/** In the tree, so that Vite serves them; git does not know it. */
const written = '.cache/guides';
let models = '';
let address = '';
let hash = '';

beforeAll(async () => {
  models = mkdtempSync(join(tmpdir(), 'guide-models-'));
  const file = writeTflite(runPasses(buildArchitecture('v1-0.25-64', { classes: 5 })));
  writeFileSync(join(models, 'mobilenet.tflite'), file);
  hash = createHash('sha256').update(file).digest('hex');
  mkdirSync(join(models, 'teachable'));
  await writeTeachableMachine(join(models, 'teachable'));
  address = (await engineServer()).lend('guides', models);
  rmSync(written, { recursive: true, force: true });
  mkdirSync(written, { recursive: true });
});

afterAll(() => {
  if (models) rmSync(models, { recursive: true });
  rmSync(written, { recursive: true, force: true });
});

/** With the engine's sources in the place of the package, and the models where they are. */
const here = (code: string): string =>
  code
    .replace(/'mobilenet-webgpu'/g, `'${server()}/src/index.ts'`)
    .replace(/'mobilenet-webgpu\/(\w+)'/g, `'${server()}/src/$1/index.ts'`)
    .replaceAll('/models/', `${address}/`)
    .replace(/'[0-9a-f]{6}…'/, `'${hash}'`);
const server = () => new URL(address).origin;

describe('guides', () => {
  it('have code', () => expect(blocks.length).toBeGreaterThan(15));

  it.each(blocks.filter(({ code }) => !isForNode(code)))('$place', async ({ code, place }) => {
    const name = `${place.replace(/\W/g, '-')}.ts`;
    writeFileSync(join(written, name), `${here(code)}\nexport {};\n`);
    const page = await enginePage('chrome');
    await page.call('/test/docs/guide-in-page.ts', 'runGuide', { module: `/${written}/${name}` });
  });

  it.each(blocks.filter(({ code }) => isForNode(code)))('$place in Node', async ({ code, place }) => {
    const file = join(written, `${place.replace(/\W/g, '-')}.mjs`);
    const text = code
      .replace("'mobilenet-webgpu/node'", "'../../src/node/index.ts'")
      .replace("'mobilenet.tflite'", `'${join(models, 'mobilenet.tflite')}'`);
    writeFileSync(file, text);
    await import(/* @vite-ignore */ resolve(file));
  });
});
