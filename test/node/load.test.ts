import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { load, type ModelSource, openNodeGpu, readGraph, seededInputs } from '../../src/node/index.ts';
import { writeOnnx } from '../support/onnx-writer.ts';

const weights = Float32Array.of(1, 2, 3, 4);
let folder = '';
let file = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-node-'));
  file = join(folder, 'model.onnx');
  writeFileSync(join(folder, 'w.bin'), new Uint8Array(weights.buffer));
  writeFileSync(
    file,
    writeOnnx({
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float', dims: [1, 2] }],
      outputs: [{ name: 'y' }],
      initializers: { w: { dims: [2, 2], external: { location: 'w.bin' } } },
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('load in Node', () => {
  it.each([
    ['a path', () => file],
    ['a file: address', () => pathToFileURL(file)],
    ['a file: address as text', () => pathToFileURL(file).href],
  ] as [string, () => ModelSource][])('opens %s, with the data beside it', async (_name, source) => {
    const stages: string[] = [];
    const model = await load(source(), { device: 'reference', onProgress: ({ stage }) => stages.push(stage) });
    expect(stages).toEqual(['fetch', 'parse']);
    expect(await model.run(Float32Array.of(1, 10))).toEqual({ y: Float32Array.of(31, 42) });
  });

  it('opens what a page opens too', async () => {
    expect((await load('v1-0.25-32', { device: 'reference' })).graph.name).toBe('v1-0.25-32');
    await expect(readGraph('https://127.0.0.1:1/model.onnx')).rejects.toThrow(/could not be fetched/);
  });

  it('passes the options for a file on, and refuses them elsewhere', async () => {
    await expect(load(file, { device: 'reference', outputs: ['z'] })).rejects.toThrow(/"z"/);
    expect((await load(file, { device: 'reference', outputs: ['y'] })).outputs.map(({ name }) => name)).toEqual(['y']);
    await expect(load('v1-0.25-32', { device: 'reference', outputs: ['y'] })).rejects.toThrow(/is no file/);
    const integrity = '0'.repeat(64);
    await expect(load(file, { device: 'reference', integrity })).rejects.toThrow(/"integrity" is for addresses/);
  });

  it('says which file is missing', async () => {
    await expect(load(join(folder, 'gone.onnx'))).rejects.toMatchObject({
      code: 'model-format',
      message: expect.stringMatching(/gone\.onnx: there is no such file/),
    });
    await expect(load('')).rejects.toThrow('expected a path, an address or an architecture id');
  });

  it.each([
    [undefined, 'wasm'],
    [false, 'reference'],
  ] as const)('runs on Dawn where it is installed, else on the CPU (cpu: %j), and says why', async (cpu, device) => {
    const { gpu, reason } = await openNodeGpu();
    const model = await load('v1-0.25-32', cpu === false ? { cpu } : {});
    expect(model.device).toBe(gpu ? 'webgpu' : device);
    expect(model.deviceReason).toBe(reason);
    expect((await model.run(seededInputs(model.graph))).logits).toHaveLength(1000);
    model.dispose();
    if (!gpu) await expect(load('v1-0.25-32', { device: 'webgpu' })).rejects.toThrow(reason);
  });
});
