import { expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { load, type ModelSource } from '../../src/index.ts';
import { explain, mapOnPicture, withClassMaps } from '../../src/tasks/index.ts';
import { paintedScene } from '../support/painted-scene.ts';

/** RGBA bytes of a painted scene. */
function picture(height: number, width: number) {
  const scene = paintedScene([height, width, 3], 5);
  const data = Uint8Array.from({ length: height * width * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : scene[3 * Math.floor(i / 4) + (i % 4)]!,
  );
  return { width, height, data };
}

const reference = (source: ModelSource) => load(source, { device: 'reference' });

it.each(['v1-0.25-64', 'v2-0.35-64'])('of %s: the mean of a map and the bias is the logit', async (id) => {
  const graph = buildArchitecture(id, { classes: 12 });
  const model = await reference(await withClassMaps(graph));
  const { classes, size } = await explain(model, picture(80, 96), { image: 'keras', top: 3 });
  expect(size).toEqual([2, 2]);
  const plain = await (await reference(graph)).classify(picture(80, 96), { image: 'keras', top: 3 });
  expect(classes.map(({ index, score }) => [index, score])).toEqual(plain.map(({ index, score }) => [index, score]));
  for (const { map, bias, logit } of classes) {
    expect(map).toHaveLength(4);
    expect(Math.abs(map.reduce((sum, value) => sum + value, 0) / 4 + bias - logit)).toBeLessThan(1e-5);
  }
});

it('lies on the picture where the network saw it', async () => {
  const model = await reference(await withClassMaps(buildArchitecture('v1-0.25-64', { classes: 3 })));
  const seen = await explain(model, picture(64, 128), { image: { mean: 0.5, std: 0.5, fit: 'crop' }, top: 1 });
  const heat = mapOnPicture(seen, seen.classes[0]!);
  expect(heat).toHaveLength(64 * 128);
  // The centre square alone: the rest is outside.
  expect([heat[0], heat[31], heat[96]].map(Number.isNaN)).toEqual([true, true, true]);
  const [topLeft, , , bottomRight] = seen.classes[0]!.map;
  expect([heat[32], heat[63 * 128 + 95]]).toEqual([topLeft, bottomRight]);
});

it('is refused where the network does not end in a mean and one linear layer', async () => {
  await expect(withClassMaps(buildArchitecture('v3-small-1.0-64'))).rejects.toThrow(
    /v3-small-1\.0-64 has no class activation maps: expected a mean over all places before the linear layer, and found node/,
  );
  const model = await reference('v1-0.25-64');
  await expect(explain(model, picture(64, 64), { image: 'keras' })).rejects.toThrow(
    /load await withClassMaps\(graph\)/,
  );
});
