/** `mobilenet-webgpu/compat` against the package that it stands for: one program, of which only the import differs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { modelFolder, needModels } from '../support/real-models.ts';
import { browsers, suite } from '../support/suite.ts';
import type { Pixels } from './compat-in-page.ts';
import { writeV1, writeV2 } from './model-files.ts';
import { type Config, type Found, program } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'compat-'));
let address = '';

beforeAll(async () => {
  if (!modelFolder) return;
  await writeV1(join(folder, 'v1'));
  writeV2(join(folder, 'v2'), 90);
  address = (await engineServer()).lend('compat', folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const configs: Readonly<Record<string, () => Config>> = {
  'V1 of real weights': () => ({ version: 1, alpha: 0.25, modelUrl: `${address}/v1/model.json` }),
  'V2, pixels 0 … 1': () => ({ version: 2, alpha: 0.5, modelUrl: `${address}/v2/model.json`, inputRange: [0, 1] }),
};

const photographs: Readonly<Record<string, string>> = {
  'burger.jpg': 'cheeseburger',
  'cat.bmp': 'Egyptian cat',
  'parrot.jpg': 'macaw',
};

async function pixelsOf(name: string): Promise<Pixels> {
  const image = await loadImage(join(modelFolder, name));
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const { width, height, data } = context.getImageData(0, 0, image.width, image.height);
  return { width, height, data: new Uint8Array(data) };
}

const expected = new Map<string, Promise<Found[]>>();

/** What the package itself finds, in Node on TensorFlow.js. */
function found(model: string): Promise<Found[]> {
  let answer = expected.get(model);
  if (!answer) {
    answer = (async () => {
      const tf = await import('@tensorflow/tfjs-core');
      await import('@tensorflow/tfjs-backend-cpu');
      const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
      setWasmPaths(`${process.cwd()}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
      tf.enableProdMode();
      await tf.setBackend('wasm');
      const mobilenet = await import('@tensorflow-models/mobilenet');
      return program<never>(mobilenet, configs[model]!(), (await allPixels()) as never[]);
    })();
    expected.set(model, answer);
  }
  return answer;
}

const allPixels = (): Promise<Pixels[]> => Promise.all(Object.keys(photographs).map(pixelsOf));

/** The largest difference, beside the largest value. */
const difference = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(...b.map(Math.abs));

describe.each(browsers)('in %s', (browser) => {
  needModels();

  it.each(Object.keys(configs))('%s: classes, probabilities, logits and embedding of the package', async (model) => {
    const page = await enginePage(browser);
    const argument = { config: configs[model]!(), pictures: await allPixels() };
    const all = await page.call<Found[]>('/test/compat/compat-in-page.ts', 'onCanvas', argument);
    for (const [at, theirs] of (await found(model)).entries()) {
      const ours = all[at]!;
      const probabilities = theirs.classes.map(({ probability }, i) =>
        Math.abs(ours.classes[i]!.probability / probability - 1),
      );
      if (suite === 'full') {
        const off = [Math.max(...probabilities), difference(ours.logits, theirs.logits)];
        const figures = [...off, difference(ours.embedding, theirs.embedding)].map((one) => one.toExponential(1));
        const { className, probability } = ours.classes[0]!;
        console.log(
          `${browser}, ${model}: ${className} ${probability.toFixed(3)}; off by ${figures} (probabilities, logits, embedding)`,
        );
      }
      expect(ours.classes.map(({ className }) => className)).toEqual(theirs.classes.map(({ className }) => className));
      expect(ours.classes[0]!.probability).toBeGreaterThan(model.startsWith('V2') ? 0.5 : 0.3);
      if (model.startsWith('V1')) expect(ours.classes[0]!.className).toContain(Object.values(photographs)[at]!);
      for (const off of probabilities) expect(off).toBeLessThan(1e-3);
      expect([ours.five, ours.shapes]).toEqual([theirs.five, theirs.shapes]);
      expect(difference(ours.logits, theirs.logits)).toBeLessThan(1e-3);
      expect(difference(ours.embedding, theirs.embedding)).toBeLessThan(1e-3);
    }
  });

  it('a canvas is seen as it was when infer was called', async () => {
    const page = await enginePage(browser);
    const model = 'V1 of real weights';
    const argument = { config: configs[model]!(), picture: await pixelsOf('burger.jpg') };
    const [first, black] = await page.call<number[][]>('/test/compat/compat-in-page.ts', 'drawnOver', argument);
    expect(difference(first!, (await found(model))[0]!.logits)).toBeLessThan(1e-3);
    expect(difference(black!, first!)).toBeGreaterThan(0.1);
  });
});
