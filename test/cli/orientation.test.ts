/** A photograph that a phone took on its side is seen upright, as browsers show it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decode } from '../../src/cli/decode.ts';
import { type Graph, type ImageRule, load } from '../../src/index.ts';
import { signedPixels } from '../support/image-rule.ts';
import { orientations, orientedPicture } from '../support/oriented-jpeg.ts';
import { quartersOf } from '../support/quarters.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orientation-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each(orientations)('with Orientation %i', async (orientation) => {
  for (const order of ['little', 'big'] as const) {
    const { jpeg, ...seen } = orientedPicture(orientation, order);
    const file = join(folder, `${orientation}-${order}.jpg`);
    writeFileSync(file, jpeg);
    const picture = await decode(file);
    expect({ width: picture.width, height: picture.height, quarters: quartersOf(picture) }).toEqual(seen);
  }
});

it('and is classified as what the eye sees', async () => {
  const image: ImageRule = { ...signedPixels, scale: [1 / 255], offset: [0] };
  // The score of a quarter is its red less its green.
  const weights = Float32Array.from({ length: 12 * 4 }, (_, i) => {
    const [input, quarter] = [Math.floor(i / 4), i % 4];
    return Math.floor(input / 3) === quarter ? [5, -5, 0][input % 3]! : 0;
  });
  const graph: Graph = {
    name: 'where red is',
    inputs: [{ name: 'x', shape: [1, 2, 2, 3] }],
    outputs: [{ name: 'y', tensor: 'y' }],
    nodes: [
      {
        op: 'fully-connected',
        name: 'f',
        inputs: ['x'],
        output: 'y',
        weights,
        bias: null,
        outFeatures: 4,
        activation: 'none',
      },
    ],
  };
  const model = await load(graph, { device: 'reference' });
  for (const orientation of orientations) {
    const { jpeg, quarters } = orientedPicture(orientation);
    const file = join(folder, 'phone.jpg');
    writeFileSync(file, jpeg);
    const [best] = await model.classify(await decode(file), { image, top: 1 });
    expect([orientation, best!.index]).toEqual([orientation, quarters.indexOf('red')]);
  }
});
