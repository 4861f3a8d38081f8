/** GPU memory on a GPU that computes nothing: what cannot be had, and what is given back. */
import { describe, expect, it } from 'vitest';
import { MobileNetError, OutOfMemoryError } from '../../src/errors.ts';
import type { Graph, ImageRule } from '../../src/graph/graph.ts';
import { seededInputs } from '../../src/graph/random-inputs.ts';
import { load } from '../../src/load.ts';
import type { Model } from '../../src/model.ts';
import { pointwise } from '../scheduler/one-layer.ts';
import { FakeGpu } from '../support/fake-gpu.ts';

const image: ImageRule = {
  ...{ fit: 'stretch', cropFraction: 1, filter: 'bilinear', antialias: true, corners: 'half-pixel' },
  ...{ channels: 'rgb', scale: [1], offset: [0] },
};
const classifier = (): Graph => ({
  ...pointwise(3, 4),
  inputs: [{ name: 'x', shape: [1, 1, 1, 3] }],
});
const picture = { width: 8, height: 6, data: new Uint8Array(4 * 8 * 6) };

/** What a user does, in order; each step makes GPU objects of its own. */
const steps: readonly (readonly [string, (model: Model) => Promise<unknown>])[] = [
  ['run', (model) => model.run(seededInputs(model.graph))],
  ['runPicture', (model) => model.runPicture(picture, { image })],
  ['classify', (model) => model.classify(picture, { image })],
  ['profile', (model) => model.profile()],
  ['validate', (model) => model.validate()],
  ['tune', (model) => model.tune({ budgetMs: 30, cache: null })],
];

/** The outcome of each step with a GPU that has no memory for the allocation of this number. */
async function live(refused: number) {
  const fake = new FakeGpu();
  let made = 0;
  let label = '';
  fake.lacks = (wanted) => {
    if (made++ !== refused) return false;
    label = wanted;
    return true;
  };
  const outcomes: Record<string, unknown> = {};
  const attempt = (work: () => Promise<unknown>) =>
    work().then(
      () => 'ok',
      (error: unknown) => error,
    );
  let model = null as Model | null;
  outcomes.load = await attempt(async () => {
    model = await load(classifier(), { plan: 'unfused', gpu: fake.gpu, device: 'webgpu', tuning: 'off' });
  });
  const heldWithoutModel = model ? null : [...fake.held];
  if (model) for (const [name, work] of steps) outcomes[name] = await attempt(() => work(model!));
  // Whatever failed, the next call works.
  if (model) outcomes.again = await attempt(() => steps[0]![1](model!));
  model?.dispose();
  await new Promise((resolve) => setTimeout(resolve));
  return { label, made, outcomes, heldWithoutModel, held: fake.held, allocated: fake.resources.length };
}

describe('memory that cannot be had', () => {
  it('at each allocation ends in a typed error, and all that was made is released', async () => {
    const { made, outcomes } = await live(-1);
    expect(
      Object.values(outcomes).filter((outcome) => outcome !== 'ok' && !(outcome instanceof MobileNetError)),
    ).toEqual([]);
    const sound = Object.entries(outcomes)
      .filter(([, outcome]) => outcome === 'ok')
      .map(([name]) => name);
    expect(sound).toEqual(expect.arrayContaining(['load', 'run', 'runPicture', 'classify', 'tune', 'again']));
    const labels = new Set<string>();
    for (let refused = 0; refused < made; refused++) {
      const life = await live(refused);
      if (!life.label) continue;
      const at = `allocation ${refused}, "${life.label}"`;
      labels.add(life.label.replace(/\d+/g, 'n'));
      const failed = Object.entries(life.outcomes).filter(
        ([name, outcome]) => sound.includes(name) && outcome !== 'ok',
      );
      // A kernel that is only tried is passed over where there is no memory for it.
      expect(failed.length, at).toBeLessThanOrEqual(1);
      for (const [, error] of failed) {
        expect(error, at).toBeInstanceOf(OutOfMemoryError);
        expect((error as Error).message, at).toMatch(/out of memory .*no memory for/);
      }
      if (life.heldWithoutModel) expect(life.heldWithoutModel, at).toEqual([]);
      else expect(life.outcomes.again, at).toBe('ok');
      expect(life.held, at).toEqual([]);
    }
    const kinds = [
      'arena n',
      'constants',
      'differences',
      'kept output',
      'picture',
      'pixels',
      'ranked classes',
      'ranking',
    ];
    expect([...labels]).toEqual(expect.arrayContaining([...kinds, 'readback n', 'trial uniforms', 'uniforms']));
  });
});

it('200 models loaded, used and disposed of leave nothing', async () => {
  for (let i = 0; i < 200; i++) {
    const fake = new FakeGpu();
    const model = await load(classifier(), { plan: 'unfused', gpuDevice: fake.device, tuning: 'off' });
    await model.classify(picture, { image });
    // Dispose with runs under way.
    const running = [1, 2, 3, 4].map(() => model.run(seededInputs(model.graph)).catch((error) => error));
    model.dispose();
    for (const outcome of await Promise.all(running)) expect(outcome).toBeInstanceOf(MobileNetError);
    expect(fake.held).toEqual([]);
    expect(fake.misused).toEqual([]);
  }
});
