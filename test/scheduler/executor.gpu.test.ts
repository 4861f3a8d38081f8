import { describe, expect, it } from 'vitest';
import type { ValidationReport } from '../../src/index.ts';
import type { Difference } from '../../src/validate/compare.ts';
import { enginePage } from '../support/engine-page.ts';
import { browsers, suite } from '../support/suite.ts';
import type { Calls } from './in-page.ts';

describe.each(browsers)('the scheduler in %s', (browser) => {
  const call = async <T>(name: string, argument?: unknown): Promise<T> =>
    (await enginePage(browser)).call<T>('/test/scheduler/in-page.ts', name, argument);

  it.each([
    ['v1-0.25-64', 'unfused', 29, 12],
    ['v2-0.35-128', 'unfused', 54, 12],
    ['v1-0.25-64', 'fused', 16, 20],
    ['v2-0.35-64', 'fused', 21, 20],
    ['v3-small-0.5-64', 'unfused', 73, 24],
    ['v3-small-0.5-64', 'fused', 43, 24],
    ['v4-conv-small-0.5-64', 'fused', 21, 24],
  ])(
    '%s %s: one pass, one submit, at most %i dispatches and %i pipelines, nothing made when warm',
    async (id, plan, dispatches, pipelines) => {
      const { loading, running, inspected } = await call<{ loading: Calls; running: Calls; inspected: Calls }>(
        'countCalls',
        {
          id,
          plan,
        },
      );
      expect(running).toEqual({ dispatches: inspected.dispatches, submits: 1, passes: 1, created: 0, pipelines: 0 });
      expect(inspected.submits).toBe(1);
      expect(inspected.dispatches).toBeLessThanOrEqual(dispatches);
      expect(loading.pipelines).toBe(inspected.pipelines);
      expect(loading.pipelines).toBeLessThanOrEqual(pipelines);
      // A software adapter is warmed up by a network of four layers.
      expect(loading.dispatches).toBeLessThanOrEqual(plan === 'fused' ? 0 : 4);
    },
  );

  it.each([
    ...(suite === 'full' ? ['v1-0.25-96', 'v2-0.35-96'] : []),
    'v3-small-0.5-96',
    'v3-large-minimalistic-0.35-96',
    'v4-conv-small-0.35-96',
    'v1-0.5-65',
    'v2-0.35-67',
  ])('%s agrees end to end, unfused and fused', async (id) => {
    for (const plan of ['unfused', 'fused']) {
      const { nmse, topEqual } = await call<Difference>('endToEnd', { id, plan });
      expect(nmse, plan).toBeLessThan(1e-10);
      expect(topEqual, plan).toBe(true);
    }
  });

  it('stores tensors and weights in float16 where asked', async () => {
    const { nmse } = await call<Difference>('endToEnd', {
      id: 'v2-0.35-96',
      plan: 'unfused',
      precision: 'float16-storage',
    });
    expect(nmse).toBeLessThan(1e-4);
    expect(nmse).toBeGreaterThan(1e-12);
  });

  it('stores in float16, native where the adapter has it, within the bounds of both', async () => {
    for (const id of ['v1-0.25-64', 'v3-small-0.5-64']) {
      const reports = await call<{ precision: string }[]>('validateHalves', { id });
      const stored = reports.map(({ precision }) => precision);
      // Firefox on Mesa has shader-f16, Chromium on SwiftShader has not.
      expect(stored).toEqual([browser === 'firefox' ? 'float16' : stored[0], 'float16-packed']);
      for (const report of reports) expect(report).toMatchObject({ ok: true, failed: [] });
    }
  });

  it('takes a batch, and keeps the inputs of a run that waits', async () => {
    const result = await call<Record<string, Difference> & Record<string, string>>('batches', { id: 'v2-0.35-64' });
    for (const key of ['againstReference', 'firstAlone', 'waited']) expect(result[key]!.nmse, key).toBeLessThan(1e-10);
    expect(result.batchOfPictures).toMatch(/^UsageError: a picture is one image; the model takes 3 at once/);
    expect(result.shortPicture).toMatch(/^UsageError: a picture of 8 × 8 pixels has 100 bytes, expected 256/);
  });

  it('says what ended a run under way', async () => {
    const said = await call<Record<string, string>>('interrupted');
    expect(said.destroyed).toMatch(/^DeviceLostError: .*destroyed/);
    expect(said.disposed).toMatch(/^UsageError: the model was disposed of/);
  });

  it('keeps three runs in flight, in order, with the results that they have alone', async () => {
    const result = await call<Record<string, unknown>>('overlappedRuns', { id: 'v1-0.25-64' });
    expect(result).toEqual({
      atOnce: 3,
      created: 0,
      submits: 8,
      order: ['0', '1', '2', '3', '5', '6', '7', 'alone, 7 to 7 submits', 'last'],
      same: [true, true, true, true, 'stopped by the test', true, true, true, true],
    });
  });

  it('lets one of several concurrent runs be stopped', async () => {
    const result = await call<{ same: boolean; different: boolean; aborted: string }>('concurrentRuns', {
      id: 'v1-0.25-64',
    });
    expect(result).toEqual({ same: true, different: true, aborted: 'stopped by the test' });
  });

  it('says what is wrong with a lost device, a disposed model, a wrong input', async () => {
    const said = await call<Record<string, string>>('lostAndDisposed');
    expect(said.lost).toMatch(/^DeviceLostError: .*destroyed/);
    expect(said.disposed).toMatch(/^UsageError: v1-0\.25-32 was disposed of/);
    expect(said.wrongLength).toMatch(/^UsageError: input "input" has 5 values, expected 3072 for \[1,32,32,3\]/);
    expect(said.wrongName).toMatch(/^UsageError: there is no input "picture": input/);
  });

  it.each([
    { size: 6, kernel: 3, inChannels: 3, outChannels: 5, length: 80 },
    { size: 6, kernel: 3, inChannels: 6, outChannels: 8, length: 128 },
    { size: 6, kernel: 3, inChannels: 3, outChannels: 512, length: 8192 },
  ])('computes the lesson both ways: $inChannels → $outChannels channels', async ({ length, ...lesson }) => {
    const result = await call<{ length: number; between: Difference; againstReference: Difference }>(
      'lessonOnGpu',
      lesson,
    );
    expect(result.length).toBe(length);
    expect(result.between.nmse).toBeLessThan(1e-12);
    expect(result.againstReference.nmse).toBeLessThan(1e-12);
  });

  // Not the classifier: it uses each weight once, and the worst case of a sum of 1280 products hides 1 % of one.
  it.each(['stem', 'block2/depthwise', 'block9/expand', 'block13/project', 'head'])(
    'finds that a weight of %s is 1 percent off',
    async (layer) => {
      const report = await call<ValidationReport>('validateTampered', { id: 'v2-0.35-64', layer });
      expect(report.ok).toBe(false);
      const stage = layer === 'stem' ? ['stem of pixels'] : [];
      expect(report.layers.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual([layer, ...stage]);
    },
  );

  it.each([
    [
      'a resampled picture is 0.1 percent off',
      'image-to-tensor.wgsl',
      'mean = sum / (total_y * total_x);',
      'mean = 1.001 * sum / (total_y * total_x);',
      'input',
    ],
    ['the lowest bit of a pixel is lost', 'conv-stem.wgsl', '& vec3u(255u)', '& vec3u(254u)', 'stem of pixels'],
    ['a probability is 0.1 percent off', 'rank-classes.wgsl', ' / sum)', ' / (1.001 * sum))', 'logits'],
    ['a class is another', 'rank-classes.wgsl', 'vec2u(best.index, bits)', 'vec2u(best.index ^ 1u, bits)', 'logits'],
  ])('finds that %s', async (_, label, from, to, name) => {
    const report = await call<ValidationReport>('validateChanged', { id: 'v2-0.35-64', label, from, to });
    expect(report.ok).toBe(false);
    expect(report.layers.filter(({ ok }) => !ok).map((layer) => layer.name)).toEqual([name]);
  });

  it('gives an error for a run that the GPU refuses, not the outputs of the run before', async () => {
    const said = await call<{ refused: string; after: string }>('refusedRun', { id: 'v1-0.25-64' });
    expect(said.refused).toMatch(/^DeviceError: v1-0\.25-64: the GPU refused this run/);
    expect(said.after).toMatch(/^DeviceError: v1-0\.25-64: the GPU refused this run/);
  });

  it('runs a plan that went through JSON', async () => {
    expect(await call<boolean>('planAsJson', { id: 'v2-0.35-64' })).toBe(true);
  });
});
