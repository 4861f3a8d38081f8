/** Whole networks with weights as bytes on the GPU. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { seededInputs } from '../../src/graph/random-inputs.ts';
import type { ValidationReport } from '../../src/index.ts';
import { withByteWeights } from '../../src/passes/byte-weights.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { modelFolder, withoutModels } from '../support/real-models.ts';
import { browsers, suite } from '../support/suite.ts';
import type { bytesAtWork } from './byte-weights-in-page.ts';
import { zoo } from './zoo.ts';

const inPage = '/test/models/byte-weights-in-page.ts';
const ids =
  suite === 'full'
    ? ['v1-0.25-96', 'v2-0.35-96', 'v3-small-1.0-96', 'v3-large-0.75-96', 'v4-conv-small-0.35-96']
    : ['v3-small-1.0-64'];

describe.each(browsers)('weights as bytes in %s', (browser) => {
  it.each(ids)('%s: LiteRT.js with the same weights agrees, every layer is within its bound, tuned too', async (id) => {
    const page = await enginePage(browser);
    const found = await page.call<Awaited<ReturnType<typeof bytesAtWork>>>(inPage, 'bytesAtWork', { id });
    const { starting, kernels, layers, refused } = found;

    const graph = withByteWeights(buildArchitecture(id));
    const [{ name, shape }] = graph.inputs as [(typeof graph.inputs)[0]];
    const feeds = { [name]: { dims: shape, data: seededInputs(graph)[name]! } };
    const expected = await liteRtOutputs(writeTflite(graph), feeds);
    for (const [output, values] of Object.entries(found.outputs)) {
      const { nmse, topEqual } = compareOutputs(values, expected[output]!.data as Float32Array);
      expect(nmse).toBeLessThan(1e-10);
      expect(topEqual).toBe(true);
    }
    expect(found.saved, 'saved and opened').toEqual(found.outputs);

    for (const report of found.reports) {
      expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
      expect(report.ok).toBe(true);
    }
    expect(found.precision).toBe('float32');
    expect(found.told).toMatch(/self-check passed: \d+ made-up layers/);
    expect(found.told).not.toMatch(/computes wrongly/);

    const summing = new Set(
      graph.nodes.flatMap((node, i) => ('weightsAs' in node && node.weightsAs === 'int8' ? [i] : [])),
    );
    for (const [i] of graph.nodes.entries()) {
      expect(starting[i]!.startsWith('byte/')).toBe(summing.has(i));
      expect(kernels[i]!.startsWith('byte/')).toBe(summing.has(i));
    }
    expect(refused).toEqual([]);
    const raced = layers.filter(({ chosen }) => chosen.startsWith('byte/'));
    // As many layers as the budget has room for.
    expect(raced.some(({ tried }) => tried.length > 1)).toBe(true);
    for (const { kernel, ms } of raced.flatMap(({ tried }) => tried)) {
      expect([kernel, kernel.startsWith('byte/'), ms !== null]).toEqual([kernel, true, true]);
    }
    process.stdout.write(`${id}, ${browser}: weights on the GPU ${found.bytes} of ${found.floats} bytes\n`);
    expect(found.bytes / found.floats).toBeLessThanOrEqual(0.3);
  });
});

const real = [
  ...zoo.filter(({ inBrowsers }) => inBrowsers !== false).map(({ file, input }) => ({ file, range: input.range })),
  { file: join(modelFolder, 'mobilenet_v1_0.25_224_1_default_1.tflite'), range: [-1, 1] as const },
];

describe.each(browsers)('real models with weights as bytes in %s', (browser) => {
  const precision = browser === 'chrome' ? 'float32' : 'float16-storage';

  it.for(real)(`$file, ${precision}: every layer within its bound`, async ({ file, range }, { skip }) => {
    skip(suite !== 'full', 'takes its time: npm run test:full');
    skip(!existsSync(file), withoutModels);
    const page = await enginePage(browser);
    const folder = (await engineServer()).lend(
      `bytes-${real.findIndex((one) => one.file === file)}`,
      dirname(resolve(file)),
    );
    const source = `${folder}/${basename(file)}`;
    const report = await page.call<ValidationReport>(inPage, 'validateBytes', { source, range, precision });
    expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
    expect(report.layers.filter(({ kernel }) => kernel.startsWith('byte/')).length).toBeGreaterThan(10);
    // What storing halves costs an output is a matter of its own (zoo.gpu.test.ts).
    if (precision === 'float32') expect(report.ok).toBe(true);
  });
});
