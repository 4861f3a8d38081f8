/** Quantised families on WebGPU against LiteRT.js on WebAssembly with JSPI, both in the page. */
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';
import {
  farOff,
  fedTo,
  inputDims,
  networks,
  othersAllowed,
  pictures,
  quantisedFamily,
  stepsFromBest,
} from './quantised-families.ts';
import type { Scores } from './quantised-in-page.ts';

const chosen = suite === 'full' ? networks : networks.filter((id) => id.startsWith('v3'));

describe.each(browsers)('quantised families in %s', (browser) => {
  it.each(chosen)('%s: the best class is that of LiteRT.js or within two steps of it', async (id) => {
    const wasm = (await engineServer()).lend('litert', resolve('node_modules/@litertjs/core/wasm'));
    const page = await enginePage(browser);
    for (const [type, file] of await quantisedFamily(id)) {
      const { jspi, ours, liteRt } = await page.call<Scores>('/test/models/quantised-in-page.ts', 'scoresOfBoth', {
        file: file.bytes,
        wasm: `${wasm}/`,
        dims: inputDims,
        pictures,
        fed: pictures.map((picture) => fedTo(file, picture)),
      });
      const steps = ours.map((scores, i) => stepsFromBest(file, scores, liteRt[i]!));
      console.log(`${browser}, ${id} ${type}, ${jspi ? 'JSPI' : 'no JSPI'}: steps off ${steps}`);
      expect(steps).toHaveLength(pictures.length);
      expect(farOff(steps)).toBeLessThanOrEqual(othersAllowed(id, type));
    }
  });
});
