/** Many calls at once, ended at every stage, on a GPU that computes nothing. Vitest fails on rejections that nobody handles. */
import { describe, expect, it } from 'vitest';
import { MobileNetError, UsageError } from '../../src/errors.ts';
import type { Graph } from '../../src/graph/graph.ts';
import type { Model } from '../../src/model.ts';
import { pointwise } from '../scheduler/one-layer.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { load } from '../support/unchecked-load.ts';

const classifier: Graph = { ...pointwise(3, 4), inputs: [{ name: 'x', shape: [1, 1, 1, 3] }] };
const picture = { width: 8, height: 6, data: new Uint8Array(4 * 8 * 6) };

/** Calls `then` at the allocation or the submit of this number. */
function hooked(at: number, then: () => void) {
  const fake = new FakeGpu();
  let made = 0;
  const count = () => {
    if (made++ === at) then();
    return false;
  };
  fake.lacks = count;
  fake.onSubmit = count;
  return { fake, made: () => made };
}

/** Everything at once on one model; what became of each call, and the order in which runs gave results. */
async function crowd(at: number, then: (model: Model | null, stop: AbortController) => void) {
  const stop = new AbortController();
  let model = null as Model | null;
  const { fake, made } = hooked(at, () => then(model, stop));
  const outcomes: unknown[] = [];
  const order: number[] = [];
  const attempt = (work: () => Promise<unknown>) =>
    work().then(
      () => outcomes.push('ok'),
      (error) => outcomes.push(error === stop.signal.reason ? 'aborted' : error),
    );
  const { signal } = stop;
  await attempt(async () => {
    model = await load(classifier, { gpu: fake.gpu, device: 'webgpu', tuning: 'off', signal });
  });
  const made1 = model;
  if (made1) {
    const run = (i: number) =>
      attempt(() => made1.run(new Float32Array(3), i % 2 ? { signal } : {}).then(() => order.push(i)));
    await Promise.all([
      ...[0, 1, 2, 3, 4].map(run),
      attempt(() => made1.classify(picture, { image: 'keras', signal })),
      attempt(() => made1.tune({ budgetMs: 5, cache: null, signal })),
      attempt(() => made1.profile()),
      ...[5, 6, 7].map(run),
    ]);
    made1.dispose();
  }
  await new Promise((resolve) => setTimeout(resolve));
  return { made: made(), outcomes, order, held: fake.held, disposed: fake.destroyed };
}

describe.each([
  ['aborted', (_: Model | null, stop: AbortController) => stop.abort()],
  ['disposed of', (model: Model | null) => model?.dispose()],
] as const)('calls that are %s', (how, end) => {
  it('at each allocation and submit end in a result or a typed error, in order, and leave nothing', async () => {
    const { made, outcomes } = await crowd(-1, () => {});
    expect(outcomes.filter((outcome) => outcome !== 'ok' && !(outcome instanceof MobileNetError))).toEqual([]);
    expect(made).toBeGreaterThan(30);
    let ended = 0;
    for (let at = 0; at < made; at++) {
      const { outcomes, order, held } = await crowd(at, end);
      for (const outcome of outcomes) {
        if (outcome === 'ok') continue;
        ended++;
        if (outcome !== 'aborted') expect(outcome, `${how} at ${at}`).toBeInstanceOf(MobileNetError);
      }
      expect(order, `${how} at ${at}`).toEqual([...order].sort((a, b) => a - b));
      expect(held, `${how} at ${at}`).toEqual([]);
    }
    expect(ended).toBeGreaterThan(made);
  });
});

it('a call on a model that is disposed of says so', async () => {
  const model = await load(classifier, { gpu: new FakeGpu().gpu, device: 'webgpu' });
  model.dispose();
  model.dispose();
  for (const call of [() => model.run(new Float32Array(3)), () => model.tune(), () => model.validate()]) {
    await expect(call()).rejects.toBeInstanceOf(UsageError);
  }
});
