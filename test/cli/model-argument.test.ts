import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inputShapesOf, readModel } from '../../src/cli/model-argument.ts';
import { writeOnnx } from '../support/onnx-writer.ts';

describe('a model with data beside it', () => {
  let folder: string;
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const model = (location: string) =>
    writeOnnx({
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float', dims: [1, 2] }],
      outputs: [{ name: 'y' }],
      initializers: { w: { dims: [2, 2], external: { location } } },
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mobilenet-webgpu-files-'));
    await mkdir(join(folder, 'model', 'weights'), { recursive: true });
    await writeFile(join(folder, 'secret.bin'), data);
    await writeFile(join(folder, 'model', 'weights', 'w.bin'), data);
    await symlink(join(folder, 'secret.bin'), join(folder, 'model', 'out.bin'));
    await symlink(folder, join(folder, 'model', 'up'));
    await symlink('weights/w.bin', join(folder, 'model', 'in.bin'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const read = async (location: string) => {
    const file = join(folder, 'model', 'model.onnx');
    await writeFile(file, model(location));
    return readModel(file);
  };

  it.each(['weights/w.bin', 'in.bin'])('reads %s', async (location) => {
    expect((await read(location)).nodes).toMatchObject([
      { op: 'fully-connected', weights: Float32Array.of(1, 2, 3, 4) },
    ]);
  });

  it.each(['out.bin', 'up/secret.bin'])('refuses %s, a link out of the folder', async (location) => {
    await expect(read(location)).rejects.toMatchObject({
      code: 'model-format',
      message: expect.stringMatching(`${location}: is a link out of the model's folder, to .*secret.bin`),
    });
  });

  it('says which file is missing', async () => {
    await expect(read('gone.bin')).rejects.toThrow('model.onnx: needs the file "gone.bin", which could not be read');
  });
});

describe('--input-shape', () => {
  it('gives sizes by name', () => {
    expect(inputShapesOf(undefined)).toEqual({});
    expect(inputShapesOf(['x=1,3,48,192', 'a=b=2'])).toEqual({ inputShapes: { x: [1, 3, 48, 192], 'a=b': [2] } });
  });
  it.each(['x', 'x=', '=1', 'x=1;2', 'x=1,', 'x=-1', 'x=1.5'])('refuses %s', (value) => {
    expect(() => inputShapesOf([value])).toThrow(`--input-shape is "${value}"`);
  });
});
