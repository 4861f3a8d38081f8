/** Models that arrive by and by: the same as when they are whole, and the same errors. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { openGpu } from '../../src/device/gpu.ts';
import { DeviceError, FetchError, ModelFormatError, ShaderError, UsageError } from '../../src/errors.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { withMeanings } from '../../src/graph/output-meaning.ts';
import { seededInputs } from '../../src/graph/random-inputs.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { readGraph } from '../../src/load.ts';
import type { LoadOptions } from '../../src/load-options.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { writeSavedModel } from '../../src/loaders/saved-model/write.ts';
import type { LoadProgress } from '../../src/loaders/streaming.ts';
import { prepare } from '../../src/passes/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { fuse } from '../../src/planner/fuse.ts';
import { runGraph } from '../../src/reference/index.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { cheaply } from '../support/cost.ts';
import { FakeGpu } from '../support/fake-gpu.ts';
import { writeOnnx } from '../support/onnx-writer.ts';
import { writeTfjs } from '../support/tfjs-writer.ts';
import { load } from '../support/unchecked-load.ts';

const kernels = await allKernels();

const address = 'https://models.test/a/model.safetensors';

const tiny = new Uint8Array(readFileSync('test/loaders/saved-model/saved-model-v1.safetensors'));
const saved = (id: string) => writeSavedModel(prepare(buildArchitecture(id, { classes: 4 })), '1');

/** Where the tensors begin. */
const headerEnd = (file: Uint8Array) => 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

interface Sent {
  readonly headers?: Record<string, string>;
  /** After the pieces the source breaks in place of an end. */
  readonly breaks?: boolean;
}

/** What `fetch` answers by address, and whether its body was closed before its end, and why. */
function serve(
  files: Record<string, Iterable<Uint8Array> | AsyncIterable<Uint8Array>>,
  { headers, breaks }: Sent = {},
) {
  const closed: unknown[] = [];
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: URL, { signal }: RequestInit = {}) => {
    signal?.throwIfAborted();
    asked.push(url.href);
    const file = files[url.href];
    if (!file) return new Response(null, { status: 404, statusText: 'Not Found' });
    const source = (async function* () {
      yield* file;
      if (breaks) throw new TypeError('terminated');
    })();
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { value } = await source.next();
          if (value) controller.enqueue(value);
          else controller.close();
        },
        cancel: (reason) => {
          closed.push(reason);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, headers ? { headers } : {});
  });
  return { closed, asked };
}

afterEach(() => vi.unstubAllGlobals());

/** The error that a promise ends with. */
const errorOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.unreachable('it did not fail'),
    (error) => error,
  );

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A pause behind the header, in which whatever can go on without the weights does. */
async function* pausing(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  let pause = headerEnd(bytes);
  for (const piece of pieces(bytes, size)) {
    if (pause <= 0) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      pause = Number.POSITIVE_INFINITY;
    }
    yield piece;
    pause -= piece.length;
  }
}

/** Pieces that are sent one after another as `next` is called, and the last of them when `rest` is. */
function held(bytes: Uint8Array, size: number) {
  const all = [...pieces(bytes, size)];
  let sent = 0;
  let allowed = 0;
  let wake = () => {};
  const allow = (count: number) => {
    allowed = Math.min(all.length, allowed + count);
    wake();
  };
  return {
    count: all.length,
    get sent() {
      return sent;
    },
    allow,
    rest: () => allow(all.length),
    async *[Symbol.asyncIterator]() {
      while (sent < all.length) {
        while (sent === allowed) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        yield all[sent++]!;
      }
    },
  };
}

describe('a saved model that arrives in pieces', () => {
  it.each([1, 3, 7, 8, 9, 1000, 1e9])('of %i bytes is the same graph', async (size) => {
    serve({ [address]: pieces(tiny, size) });
    const whole = await loadGraph({ name: 'model.safetensors', bytes: tiny });
    const graph = await readGraph(address);
    expect(graph).toEqual(whole);
    expect(runGraph(graph, seededInputs(graph))).toEqual(runGraph(whole, seededInputs(whole)));
    expect(await readGraph(new Blob([...pieces(tiny, size)] as BlobPart[]), { name: 'model.safetensors' })).toEqual(
      graph,
    );
  });

  it.each([
    ['v1-0.25-32', 'unfused', 'float32', 997],
    ['v2-0.35-32', 'fused', 'float32', 10_001],
    ['v3-small-0.35-32', 'unfused', 'float16-storage', 65_536],
    ['v3-small-0.35-32', 'fused', 'float32', 65_537],
    ['v4-conv-small-0.35-32', 'fused', 'float16-storage', 33_333],
  ] as const)('%s, %s, %s: the GPU holds the same weights', async (id, plan, precision, size) => {
    const bytes = saved(id);
    const options = { device: 'webgpu', plan, precision, tuning: 'off' } as const;
    const [whole, streamed] = [new FakeGpu(), new FakeGpu()];
    await load(bytes, { ...options, gpu: whole.gpu });
    serve({ [address]: pausing(bytes, size) });
    await load(address, { ...options, gpu: streamed.gpu });
    expect(whole.weights.length).toBeGreaterThan(1);
    expect(streamed.weights.map(([label]) => label)).toEqual(whole.weights.map(([label]) => label));
    for (const [i, [label, found]] of streamed.weights.entries()) {
      expect(Buffer.compare(found, whole.weights[i]![1]), label).toBe(0);
    }
    expect(streamed.destroyed).toBe(false);
  });

  it('opens from a header that is not padded, so that its tensors lie at odd places', async () => {
    const start = headerEnd(tiny);
    const text = `${new TextDecoder().decode(tiny.subarray(8, start)).trimEnd()}  `;
    const length = new TextEncoder().encode(text).length;
    const odd = new Uint8Array(8 + length + tiny.length - start);
    new DataView(odd.buffer).setBigUint64(0, BigInt(length), true);
    odd.set(new TextEncoder().encode(text), 8);
    odd.set(tiny.subarray(start), 8 + length);
    expect((8 + length) % 4).not.toBe(0);
    serve({ [address]: pieces(odd, 5) });
    expect(await readGraph(address)).toEqual(await loadGraph({ name: 'model.safetensors', bytes: tiny }));
  });

  it('runs on the CPU once all is there, with an embedding too', async () => {
    const bytes = saved('v1-0.25-32');
    serve({ [address]: pieces(bytes, 4096) });
    const model = await load(address, { device: 'reference', embedding: true });
    const whole = await load(bytes, { device: 'reference', embedding: true });
    const inputs = seededInputs(model.graph);
    const outputs = await model.run(inputs);
    expect(Object.keys(outputs)).toEqual(['logits', 'embedding']);
    expect(outputs).toEqual(await whole.run(inputs));
    const nowhere = new FakeGpu();
    nowhere.adapters = false;
    serve({ [address]: pieces(bytes, 4096) });
    const fallen = await load(address, { gpu: nowhere.gpu, embedding: true });
    expect([fallen.device, await fallen.run(inputs)]).toEqual(['reference', outputs]);
  });

  it('is saved again byte by byte', async () => {
    const bytes = saved('v3-small-0.35-32');
    serve({ [address]: pieces(bytes, 50_000) });
    const model = await load(address, { device: 'webgpu', gpu: new FakeGpu().gpu, plan: 'fused' });
    const again = await load(await model.save(), { device: 'reference' });
    expect(again.graph).toEqual(withMeanings(await loadGraph({ name: 'model', bytes })));
  });
});

describe('while the file arrives', () => {
  const bytes = saved('v2-0.35-32');

  it.each(['unfused', 'fused'] as const)('pipelines of an %s plan are compiled, weights uploaded', async (plan) => {
    const source = held(bytes, 40_000);
    serve({ [address]: source });
    const fake = new FakeGpu();
    const seen: string[] = [];
    const loading = load(address, {
      device: 'webgpu',
      gpu: fake.gpu,
      plan,
      onProgress: ({ stage, done, total }) => seen.push(`${stage} ${done === total ? 'done' : ''}`),
    });
    source.allow(Math.ceil((headerEnd(bytes) + 4000) / 40_000));
    await vi.waitFor(() => expect(seen).toContain('compile done'));
    const before = fake.written;
    expect(source.sent).toBeLessThan(source.count);
    source.allow(Math.floor(source.count / 2));
    await vi.waitFor(() => expect(fake.written).toBeGreaterThan(before + 100_000));
    expect(source.sent).toBeLessThan(source.count);
    source.rest();
    expect((await loading).device).toBe('webgpu');
    expect(seen.indexOf('parse ')).toBeLessThan(seen.indexOf('compile done'));
    expect(seen.indexOf('compile done')).toBeLessThan(seen.lastIndexOf('fetch done'));
  });

  it('what fails elsewhere ends the fetch at once', async () => {
    const refused = new FakeGpu();
    refused.compiling = Promise.reject(new Error('no such shader'));
    refused.compiling.catch(() => {});
    const nowhere = new FakeGpu();
    nowhere.adapters = false;
    const cases: [LoadOptions, new (message: string) => Error][] = [
      [{ device: 'webgpu', gpu: refused.gpu }, ShaderError],
      [{ device: 'webgpu', gpu: nowhere.gpu }, DeviceError],
      [{ device: 'reference', outputs: ['x'] }, UsageError],
    ];
    for (const [options, kind] of cases) {
      const source = held(bytes, 40_000);
      const { closed } = serve({ [address]: source });
      const failing = errorOf(load(address, options));
      source.allow(Math.ceil(headerEnd(bytes) / 40_000));
      const error = await failing;
      expect(error).toBeInstanceOf(kind);
      await vi.waitFor(() => expect(closed).toEqual([error]));
      expect(source.sent).toBeLessThan(source.count);
      source.rest();
      await turn();
    }
    expect([refused.destroyed, refused.held, refused.misused]).toEqual([true, [], []]);
  });

  it('a device that cannot be had ends the fetch of any file at once', async () => {
    const fake = new FakeGpu();
    fake.adapters = false;
    const file = new Blob();
    const cancel = vi.fn();
    // Nothing ever comes of it.
    file.stream = () => new ReadableStream({ cancel });
    const error = await errorOf(load(file, { gpu: fake.gpu, device: 'webgpu' }));
    expect(error).toBeInstanceOf(DeviceError);
    expect(cancel).toHaveBeenCalledWith(error);
  });

  it('nothing is uploaded any more once a pipeline is refused', async () => {
    const graph = prepare(buildArchitecture('v1-0.25-32', { classes: 4 }));
    const plan = createPlan(graph, kernels);
    const [first, ...others] = [...packConstants(graph, plan, kernels)];
    const fake = new FakeGpu();
    let refuse = (_: Error) => {};
    fake.compiling = new Promise((_, reject) => {
      refuse = reject;
    });
    let ended = false;
    async function* batches() {
      try {
        yield [first!];
        refuse(Object.assign(new Error('no such shader'), { reason: 'validation' }));
        await turn();
        yield others;
      } finally {
        ended = true;
      }
    }
    const gpu = await openGpu({ device: fake.device });
    expect(await errorOf(Executor.create(gpu, plan, batches()))).toBeInstanceOf(ShaderError);
    await vi.waitFor(() => expect(ended).toBe(true));
    expect([fake.written, fake.held, fake.misused]).toEqual([first!.data.byteLength, [], []]);
  });

  it.each(['before the answer', 'in the header', 'in the weights'])('an abort %s ends all of it', async (when) => {
    for (const own of [true, false]) {
      const source = held(bytes, 10_000);
      const { closed } = serve({ [address]: source });
      const fake = new FakeGpu();
      const control = new AbortController();
      const failing = errorOf(
        load(address, { signal: control.signal, ...(own ? { gpu: fake.gpu } : { gpuDevice: fake.device }) }),
      );
      if (when !== 'before the answer') {
        source.allow(1);
        await vi.waitFor(() => expect(source.sent).toBe(1));
      }
      if (when === 'in the weights') {
        source.allow(Math.floor(source.count / 2));
        await vi.waitFor(() => expect(fake.written).toBeGreaterThan(0), 30_000);
      }
      const reason = new Error('not wanted any more');
      control.abort(reason);
      expect(await failing).toBe(reason);
      if (when !== 'before the answer') await vi.waitFor(() => expect(closed).toEqual([reason]));
      await vi.waitFor(() => expect([fake.destroyed, fake.held]).toEqual([own, []]));
      source.rest();
      await turn();
    }
  });

  it('an abort ends the wait of the CPU, and of a file', async () => {
    for (const options of [{ device: 'reference' }, { gpu: new FakeGpu().gpu, plan: 'fused' }] as const) {
      const source = held(saved('v3-small-0.35-32'), 50_000);
      const { closed } = serve({ [address]: source });
      const control = new AbortController();
      const failing = errorOf(load(address, { ...options, signal: control.signal }));
      source.allow(3);
      await vi.waitFor(() => expect(source.sent).toBe(3));
      await turn();
      control.abort();
      expect(await failing).toBe(control.signal.reason);
      expect(closed).toEqual([control.signal.reason]);
    }
    const control = new AbortController();
    const failing = errorOf(
      load(new Blob([tiny as BlobPart]), {
        device: 'reference',
        signal: control.signal,
        onProgress: () => control.abort(),
      }),
    );
    expect(await failing).toBe(control.signal.reason);
  });
});

describe('a file that arrives damaged is refused', () => {
  const bytes = saved('v1-0.25-32');
  const gpu = async (file: Iterable<Uint8Array>, sent: Sent = {}) => {
    const { closed } = serve({ [address]: file }, sent);
    const fake = new FakeGpu();
    const error = await errorOf(load(address, { device: 'webgpu', gpu: fake.gpu }));
    expect(error).toBeInstanceOf(ModelFormatError);
    await vi.waitFor(() => expect([fake.destroyed, fake.held]).toEqual([true, []]));
    return { message: error.message, closed };
  };

  it('cut anywhere, as the whole file is', async () => {
    for (let i = 0; i <= 40; i++) {
      const cut = tiny.slice(0, Math.floor((tiny.length * i) / 41));
      const whole = await errorOf(loadGraph({ name: 'model.safetensors', bytes: cut }));
      for (const size of [1, 100]) expect((await gpu(pieces(cut, size))).message).toBe(whole.message);
    }
  });

  it('where the connection breaks, naming the tensor', async () => {
    for (let i = 1; i <= 10; i++) {
      const cut = tiny.slice(0, Math.floor((tiny.length * i) / 11));
      const { message } = await gpu(pieces(cut, 64), { breaks: true });
      expect(message).toContain(`could not be read past byte ${cut.length}: terminated`);
      expect(message).toContain(address);
      if (cut.length >= headerEnd(tiny)) expect(message).toMatch(/model\.safetensors: tensor "\d\.\w+" did not arrive/);
    }
  });

  it('longer than it says, without reading on', async () => {
    const long = new Uint8Array(tiny.length + 1e6);
    long.set(tiny);
    const { message, closed } = await gpu(pieces(long, 1000));
    expect(message).toMatch(/^model\.safetensors: goes on after its last tensor, which ends at \d+$/);
    expect(closed).toHaveLength(1);
    await gpu([tiny, new Uint8Array(1)]);
  });

  it('with a value late in the file that is not finite, naming node and tensor as in the whole file', async () => {
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const damaged = bytes.slice();
      new DataView(damaged.buffer).setFloat32(damaged.length - 8, value, true);
      const whole = await errorOf(loadGraph({ name: 'model.safetensors', bytes: damaged }));
      const { message } = await gpu(pieces(damaged, 10_001));
      expect(message).toBe(whole.message);
      expect(message).toMatch(/node \d+ \(".+"\): tensor "\d+\.bias" holds (NaN|-Infinity) at \d+$/);
      serve({ [address]: pieces(damaged, 10_001) });
      expect((await errorOf(load(address, { device: 'reference' }))).message).toBe(message);
    }
  });

  it('with a value early in the file that is not finite, before the rest is there', async () => {
    const damaged = bytes.slice();
    new DataView(damaged.buffer).setFloat32(headerEnd(damaged), Number.NaN, true);
    const { message, closed } = await gpu(pieces(damaged, 1000));
    expect(message).toMatch(/holds NaN at 0$/);
    expect(closed).toHaveLength(1);
  });

  it('with a header that claims what does not follow, without taking memory for it', async () => {
    const claim = (size: number) => {
      const graph = {
        inputs: [{ name: 'x', shape: [1, 1, 1, 1] }],
        outputs: [{ name: 'y', tensor: 'y' }],
        nodes: [
          {
            op: 'fully-connected',
            name: 'f',
            inputs: ['x'],
            output: 'y',
            weights: 'w',
            bias: null,
            activation: 'none',
          },
        ].map((node) => ({ ...node, outFeatures: size })),
      };
      const header = JSON.stringify({
        __metadata__: { format: 'mobilenet-webgpu', version: '1', graph: JSON.stringify(graph) },
        w: { dtype: 'F32', shape: [size], data_offsets: [0, 4 * size] },
      });
      const file = new Uint8Array(8 + header.length + 16);
      new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
      file.set(new TextEncoder().encode(header), 8);
      return file;
    };
    for (const size of [2 ** 20, 2 ** 32, 2 ** 50]) {
      const { message } = await cheaply(() => gpu(pieces(claim(size), 100)));
      expect(message).toBe(
        `model.safetensors: tensor "w" ends at byte ${4 * size} of the data, which has 16: the file is cut short`,
      );
    }
    const { message, closed } = await gpu([Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0x7b), new Uint8Array(1e6)]);
    expect(message).toMatch(/claims a header of 4294967296 bytes/);
    expect(closed).toHaveLength(1);
  });

  it('where there is nothing, or no model', async () => {
    expect((await gpu([])).message).toMatch(/is empty/);
    expect((await gpu([new TextEncoder().encode('<html>')])).message).toMatch(/HTML/);
    serve({});
    expect((await errorOf(load(address, { device: 'reference' }))).message).toBe(
      `${address}: the server answered 404 Not Found; nothing is there: check the address, and that the file was deployed`,
    );
  });
});

describe('addresses with a query', () => {
  const weights = { w: { shape: [2, 2], values: [1, 2, 3, 4] } };
  const nodes = [{ name: 'y', op: 'MatMul', input: ['x', 'w'] }];
  const graphModel = (path: string) => writeTfjs({ inputs: { x: { shape: [1, 2] } }, nodes, weights, paths: [path] });
  const folder = 'https://models.test/hub/';
  const loaded = async (path: string, query: string) => {
    const { bytes, shard } = graphModel(path);
    const shardQuery = path.includes('?') ? '' : query;
    const { asked } = serve({ [`${folder}model.json${query}`]: [bytes], [`${folder}${path}${shardQuery}`]: [shard] });
    const graph = await readGraph(`${folder}model.json${query}`);
    return { asked, y: [...runGraph(graph, { x: Float32Array.of(1, 1) }).y!.data] };
  };

  it.each(['', '?tfjs-format=file', '?sv=2024-11-04&sig=a%2Fb%3D'])(
    '"%s" goes to the shards as well',
    async (query) => {
      const { asked, y } = await loaded('group1-shard1of1.bin', query);
      expect(asked[1]).toBe(`${folder}group1-shard1of1.bin${query}`);
      expect(y).toEqual([4, 6]);
    },
  );

  it('a shard with a query of its own keeps it', async () => {
    const { asked, y } = await loaded('group1-shard1of1.bin?token=2', '?token=1');
    expect(asked[1]).toBe(`${folder}group1-shard1of1.bin?token=2`);
    expect(y).toEqual([4, 6]);
  });

  it('among files a query means nothing', async () => {
    const { bytes, shard } = graphModel('a.bin?token=2');
    const files = [new File([bytes as Uint8Array<ArrayBuffer>], 'model.json')];
    const graph = await readGraph([...files, new File([shard as Uint8Array<ArrayBuffer>], 'a.bin')]);
    expect([...runGraph(graph, { x: Float32Array.of(1, 1) }).y!.data]).toEqual([4, 6]);
  });

  it.each(['../w.bin?a', 'w.bin#a', 'w.bin?a#b', '/w.bin?a', '?a', `${'w'.repeat(5000)}.bin`])(
    'the path %s is refused',
    async (path) => {
      await expect(loaded(path, '?tfjs-format=file')).rejects.toThrow(ModelFormatError);
    },
  );
});

describe('progress in bytes', () => {
  const events = async (file: Iterable<Uint8Array>, headers: Record<string, string>) => {
    serve({ [address]: file }, { headers });
    const seen: LoadProgress[] = [];
    await readGraph(address, { onProgress: (progress) => seen.push(progress) });
    expect(seen.every(({ done, total }) => done <= total)).toBe(true);
    const fetched = seen.filter(({ stage }) => stage === 'fetch');
    expect(fetched.map(({ done }) => done)).toEqual([...fetched.map(({ done }) => done)].sort((a, b) => a - b));
    expect(seen.filter(({ stage }) => stage === 'parse')).toEqual([{ stage: 'parse', done: 0, total: 1 }]);
    return fetched;
  };
  const onnx = writeOnnx({
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', type: 'float', dims: [1, 2] }],
    outputs: [{ name: 'y' }],
    initializers: { w: { dims: [2, 2], values: [1, 2, 3, 4] } },
  });

  it.each([
    ['by Content-Length', () => onnx, (length: number) => String(length), (length: number) => length],
    ['unknown', () => onnx, () => null, () => 0],
    ['of a compressed file', () => onnx, () => '10', () => 10],
    ['by a header that is no number', () => onnx, () => 'many', () => 0],
    ['by the file itself', () => tiny, () => null, () => 0],
    ['by the file itself, against Content-Length', () => tiny, () => '99999999', () => 99_999_999],
  ])('with a length %s', async (_what, make, header, first) => {
    const file = make();
    const stated = header(file.length);
    const seen = await events(pieces(file, 13), stated === null ? {} : { 'content-length': stated });
    expect(seen[0]).toEqual({ stage: 'fetch', done: 0, total: first(file.length) });
    expect(seen.at(-1)).toEqual({ stage: 'fetch', done: file.length, total: file.length });
    if (file === tiny) {
      const after = seen.filter(({ done }) => done > headerEnd(tiny) + 13);
      expect(after.length).toBeGreaterThan(5);
      expect(after.every(({ total }) => total === tiny.length)).toBe(true);
    }
  });

  it('counts the files beside a model', async () => {
    const weights = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
    const model = writeOnnx({
      nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float', dims: [1, 2] }],
      outputs: [{ name: 'y' }],
      initializers: { w: { dims: [2, 2], external: { location: 'w.bin' } } },
    });
    const { asked } = serve({ [address]: pieces(model, 50), 'https://models.test/a/w.bin': pieces(weights, 5) });
    const seen: LoadProgress[] = [];
    const graph = await readGraph(address, { onProgress: (progress) => seen.push(progress) });
    expect(runGraph(graph, { x: Float32Array.of(1, 10) }).y!.data).toEqual(Float32Array.of(31, 42));
    expect(asked).toEqual([address, 'https://models.test/a/w.bin']);
    const all = model.length + weights.length;
    expect(seen.at(-1)).toEqual({ stage: 'fetch', done: all, total: all });
    const files = [new File([model as BlobPart], 'm.onnx'), new File([weights], 'w.bin')];
    const read: LoadProgress[] = [];
    expect((await readGraph(files, { onProgress: (progress) => read.push(progress) })).nodes).toEqual(graph.nodes);
    expect(read.at(-1)).toEqual({ stage: 'fetch', done: all, total: all });
  });
});

describe('from a server', () => {
  const bytes = saved('v2-0.35-32');
  const half = Math.floor(bytes.length / 2);
  const requests: ServerResponse[] = [];
  const server = createServer((request, response) => {
    requests.push(response);
    // 127.0.0.1 and localhost are two origins of one server.
    const { port } = server.address() as AddressInfo;
    if (request.url === '/away') response.writeHead(302, { location: `http://localhost:${port}/whole` }).end();
    if (request.url === '/moved') response.writeHead(302, { location: '/whole' }).end();
    if (request.url === '/packed') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(bytes));
    if (request.url === '/whole') response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    if (request.url === '/half')
      response.writeHead(200, { 'content-length': bytes.length }).write(bytes.slice(0, half));
  });
  // A machine with much to do asks again after more than the five seconds that a connection is kept open.
  server.keepAliveTimeout = 0;
  let origin = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  it.each(['whole', 'packed'])('%s, it is the same graph', async (name) => {
    const seen: LoadProgress[] = [];
    const graph = await readGraph(`${origin}/${name}`, { onProgress: (progress) => seen.push(progress) });
    expect(graph).toEqual(await loadGraph({ name, bytes }));
    expect(seen.at(-1)).toEqual({ stage: 'fetch', done: bytes.length, total: bytes.length });
  });

  it('that sends on to another origin, it is refused unless that is allowed or its SHA-256 is stated', async () => {
    const away = `${origin}/away`;
    const integrity = createHash('sha256').update(bytes).digest('hex');
    for (const options of [{}, { cache: 'storage' }, { fetch: { mode: 'cors' } }] as const) {
      const error = await errorOf(readGraph(away, options));
      expect(error).toBeInstanceOf(FetchError);
      expect(error.message).toMatch(/sent it on to http:\/\/localhost:\d+, another origin; pass that address/);
    }
    const graph = await loadGraph({ name: 'away', bytes });
    for (const options of [{ redirects: 'any' }, { integrity }] as const) {
      expect(await readGraph(away, options)).toEqual(graph);
    }
    expect(await readGraph(`${origin}/moved`)).toEqual(await loadGraph({ name: 'moved', bytes }));
  });

  it('that has more bytes than may be read, reading ends', async () => {
    const error = await errorOf(readGraph(`${origin}/whole`, { maxBytes: bytes.length - 1 }));
    expect(error).toBeInstanceOf(ModelFormatError);
    expect(error.message).toMatch(/has more than \d+ bytes, the most that may be read.*maxBytes/);
    expect(await readGraph(`${origin}/whole`, { maxBytes: bytes.length })).toBeDefined();
  });

  it('that hangs up, it is refused', async () => {
    const fake = new FakeGpu();
    const failing = errorOf(load(`${origin}/half`, { gpu: fake.gpu }));
    await vi.waitFor(() => expect(fake.written).toBeGreaterThan(0), 30_000);
    requests.at(-1)!.destroy();
    const error = await failing;
    expect(error).toBeInstanceOf(ModelFormatError);
    expect(error.message).toMatch(/^half: tensor ".+" did not arrive: http:.+\/half: could not be read past byte \d+/);
    expect([fake.destroyed, fake.held]).toEqual([true, []]);
  });

  it('by an abort, the connection is closed', async () => {
    const fake = new FakeGpu();
    const control = new AbortController();
    const failing = errorOf(load(`${origin}/half`, { gpu: fake.gpu, signal: control.signal }));
    await vi.waitFor(() => expect(fake.written).toBeGreaterThan(0), 30_000);
    const closed = new Promise((resolve) => requests.at(-1)!.on('close', resolve));
    control.abort();
    expect(await failing).toBe(control.signal.reason);
    await closed;
    expect(requests.at(-1)!.writableFinished).toBe(false);
  });
});

/** A prepared graph as it is before its weights are there. */
const emptied = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) =>
    Object.fromEntries(
      Object.entries(node).map(([key, value]) => [
        key,
        value instanceof Float32Array ? value.map(() => Number.NaN) : value,
      ]),
    ),
  ) as unknown as Graph['nodes'],
});

test.each(['v1-0.5-64', 'v2-0.5-64', 'v3-small-0.5-64', 'v4-conv-small-0.5-64', 'v4-conv-medium-0.5-64'])(
  'no plan of %s reads a weight, fused ones of squeeze-and-excitation apart',
  (id) => {
    const graph = prepare(buildArchitecture(id, { classes: 5 }));
    expect(createPlan(emptied(graph), kernels)).toEqual(createPlan(graph, kernels));
    const values = (fused: Graph) =>
      fused.nodes.flatMap((node) => (node.op === 'fused' ? node.parts : [node])).flatMap(Object.values);
    const own = new Set(graph.nodes.flatMap(Object.values));
    const reads = values(fuse(graph)).some((value) => value instanceof Float32Array && !own.has(value));
    expect(reads).toBe(graph.nodes.some(({ op }) => op === 'multiply'));
    if (!reads) expect(createPlan(fuse(emptied(graph)), kernels)).toEqual(createPlan(fuse(graph), kernels));
  },
);
