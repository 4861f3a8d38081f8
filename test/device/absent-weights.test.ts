/** Weights that the CPU does not keep (`keepWeights: false`), on a GPU that computes nothing. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { withoutWeights } from '../../src/absent-weights.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { DeviceLostError, ModelFormatError, UsageError } from '../../src/errors.ts';
import { type Graph, type LoadOptions, Model, type Node } from '../../src/index.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { load } from '../support/unchecked-load.ts';

const id = 'v1-0.25-32';
const file = await (await Model.create(buildArchitecture(id), null, '')).save();
const input = new Float32Array(32 * 32 * 3);

/** A model of an address that answers with `body()`. */
async function loaded(options: LoadOptions = {}, body: () => Uint8Array<ArrayBuffer> | null = () => file) {
  const fake = new FakeGpu();
  const requests: string[] = [];
  const model = await load('https://models.test/model.safetensors', {
    ...{ gpu: fake.gpu, device: 'webgpu', tuning: 'off', keepWeights: false },
    fetch: async (url) => {
      requests.push(String(url));
      return new Response(body(), { status: body() ? 200 : 404 });
    },
    ...options,
  });
  return { fake, model, requests };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of arrays, once what nobody holds is gone. */
async function memory(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  return process.memoryUsage().arrayBuffers;
}

/** Loses the device, after the weights. */
async function lose(fake: FakeGpu): Promise<void> {
  await memory();
  fake.lose('driver reset');
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: Error) => error,
  );

describe('weights that are not kept', () => {
  it('are fetched again when the device is lost, once for all calls', async () => {
    const { fake, model, requests } = await loaded();
    await model.run(input);
    const { written } = fake;
    await lose(fake);
    await Promise.all([1, 2, 3].map(() => model.run(input)));
    expect([requests.length, fake.opened, fake.written]).toEqual([2, 2, 2 * written]);
    model.dispose();
    expect(fake.held).toEqual([]);
  });

  it('take no memory', async () => {
    const bytesWith = async (keepWeights: boolean) => {
      const models: unknown[] = [];
      const before = await memory();
      const { model, fake } = await loaded({ keepWeights });
      models.push(model);
      // What the made-up GPU holds is not on the CPU.
      const onGpu = fake.resources.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const after = await memory();
      expect(model.graph.nodes.length).toBeGreaterThan(10);
      model.dispose();
      return after - before - onGpu;
    };
    const [kept, left] = [await bytesWith(true), await bytesWith(false)];
    expect(kept).toBeGreaterThan(0.9 * file.length);
    expect(left).toBeLessThan(0.1 * file.length);
  });

  it('say so where somebody reads them, and are there for what needs them', async () => {
    const { model, requests } = await loaded();
    await memory();
    const conv = model.graph.nodes.find((node) => node.op === 'conv2d')!;
    expect(conv.weights.length).toBe(3 * 3 * 3 * 8);
    expect(() => conv.weights[0]).toThrow(UsageError);
    expect(() => Array.from(conv.weights)).toThrow(/weights of node .* were not kept/);
    expect(await model.save()).toEqual(file);
    const { logits } = await model.runReference(input);
    expect(logits).toHaveLength(1000);
    expect(requests.length).toBeGreaterThan(1);
  });

  it('are there for inspect too, where a pass reads them', async () => {
    const reload = vi.fn(() => buildArchitecture(id));
    const { gpu } = new FakeGpu();
    const model = await load(buildArchitecture(id), {
      ...{ gpu, device: 'webgpu', tuning: 'off', keepWeights: false },
      reload,
    });
    await memory();
    const { parameters, dispatches } = await model.inspect();
    const whole = await (await Model.create(buildArchitecture(id), null, '')).inspect();
    expect({ parameters, dispatches }).toEqual({ parameters: whole.parameters, dispatches: whole.dispatches });
    expect(reload).toHaveBeenCalledOnce();
    model.dispose();
  });

  it('are none of one number, which plans are made of, in memory of their own', () => {
    const multipliers = new Float32Array([1, 0.5]).subarray(1);
    const body = { kind: 'mean', inputZeroPoint: 0, to: { multipliers, zeroPoint: 0, range: [-128, 127] } } as const;
    const graph: Graph = {
      ...{ name: 'mean', inputs: [], outputs: [] },
      nodes: [{ op: 'integer', name: 'mean', inputs: ['x'], output: 'y', body } as Node],
    };
    const left = (withoutWeights(graph).nodes[0] as unknown as { body: typeof body }).body.to.multipliers;
    expect([left[0], left.buffer.byteLength]).toEqual([0.5, 4]);
  });

  it('that cannot be fetched again end the call in a typed error; the next call tries again', async () => {
    let there = true;
    const { fake, model } = await loaded({}, () => (there ? file : null));
    there = false;
    await lose(fake);
    const error = await failure(model.run(input));
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(error!.message).toMatch(/driver reset.*the weights cannot be had again.*404/);
    there = true;
    expect(Object.keys(await model.run(input))).toEqual(['logits']);
    model.dispose();
  });

  it('are not those of another file at the same address', async () => {
    let bytes = file;
    const { fake, model } = await loaded({}, () => bytes);
    bytes = file.slice();
    bytes[bytes.length - 5]! ^= 1;
    await lose(fake);
    const error = await failure(model.run(input));
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(error!.cause).toBeInstanceOf(ModelFormatError);
    expect(error!.message).toContain('another network than when it was loaded');
    model.dispose();
  });

  it('of files come from them again, but not of what merely reads like files', async () => {
    const real = new File([file], 'model.safetensors');
    const note = new File(['{}'], 'note.json');
    const made = { name: 'note.json', size: 2, stream: () => new Blob(['{}']).stream() } as unknown as File;
    for (const source of [
      [real, note],
      [real, made],
    ]) {
      const fake = new FakeGpu();
      const model = await load(source, { gpu: fake.gpu, device: 'webgpu', tuning: 'off', keepWeights: false });
      await lose(fake);
      const error = await failure(model.run(input));
      expect(error?.message ?? '').toEqual(source[1] === note ? '' : expect.stringContaining('"reload"'));
      model.dispose();
    }
  });

  it('of a source in memory come from `reload`, or not at all', async () => {
    const reload = vi.fn(() => file.slice());
    for (const options of [{}, { reload }]) {
      const fake = new FakeGpu();
      const common = { gpu: fake.gpu, device: 'webgpu', tuning: 'off', keepWeights: false } as const;
      const model = await load(file.slice(), { ...common, ...options });
      await lose(fake);
      const error = await failure(model.run(input));
      if ('reload' in options) expect([error, reload.mock.calls.length]).toEqual([null, 1]);
      else
        expect([error instanceof DeviceLostError, error!.message]).toEqual([true, expect.stringContaining('"reload"')]);
      model.dispose();
    }
  });
});
