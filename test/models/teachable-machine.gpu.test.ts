import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Classification } from '../../src/index.ts';
import { enginePage, engineServer } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';
import { labels, writeTeachableMachine } from '../support/teachable-machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'teachable-'));
let scores: Float32Array;

beforeAll(async () => {
  ({ scores } = await writeTeachableMachine(folder));
});

afterAll(() => rmSync(folder, { recursive: true }));

it.each(browsers)('a Teachable Machine export names a picture in %s', async (browser) => {
  const page = await enginePage(browser);
  const address = (await engineServer()).lend('teachable', folder);
  const found = await page.call<Classification[]>('/test/models/imagenet-in-page.ts', 'classifyFile', {
    model: `${address}/model.json`,
    picture: `${address}/picture.png`,
    plan: 'unfused',
  });
  expect(found).toHaveLength(3);
  for (const { index, label, score } of found) {
    expect(label).toBe(labels[index]);
    expect(Math.abs(score - scores[index]!)).toBeLessThan(1e-5);
  }
});
