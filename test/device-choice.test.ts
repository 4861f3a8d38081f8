/** GPU or CPU, on devices and clocks that are made up. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CpuEngine, CpuExecutor } from '../src/cpu/engine.ts';
import { type Contest, decide } from '../src/device-choice.ts';
import {
  DeviceError,
  type LoadOptions,
  load,
  Model,
  seededInputs,
  type TuningCache,
  UsageError,
} from '../src/index.ts';
import { FakeGpu } from './support/fake-gpu.ts';

const zeros = { logits: new Float32Array(4) };

/** Each run takes what it says on the contest's own clock. */
function contest({ gpuMs = 100, tunedMs = gpuMs, cpuMs = 10, software = true, ...more }: Times) {
  let time = 0;
  let gpu = gpuMs;
  const seen: string[] = [];
  const cpu: CpuExecutor = {
    asFile: false,
    integers: false,
    run: async () => {
      time += cpuMs;
      return zeros;
    },
    dispose: () => seen.push('dispose'),
  };
  const parts: Contest = {
    software,
    runGpu: async () => {
      time += gpu;
      return zeros;
    },
    tuneGpu: async () => {
      seen.push('tune');
      gpu = tunedMs;
    },
    engine: 'fake',
    openCpu: async () => {
      seen.push('open');
      return cpu;
    },
    runCpu: (opened) => opened.run([]),
    differs: () => null,
    ...more,
  };
  return { seen, cpu, decision: decide(parts, () => time) };
}
type Times = Partial<Contest> & { gpuMs?: number; tunedMs?: number; cpuMs?: number };

describe('which device runs', () => {
  it.each<[string, Times, 'wasm' | 'webgpu', string[]]>([
    ['a fast GPU: the CPU is not opened', { software: false, gpuMs: 30 }, 'webgpu', []],
    ['a slow GPU, a fast CPU', { software: false, gpuMs: 31, cpuMs: 5 }, 'wasm', ['open']],
    ['a software GPU, however fast', { gpuMs: 5, cpuMs: 1 }, 'wasm', ['open']],
    ['a CPU fifty times as slow', { cpuMs: 500 }, 'webgpu', ['open', 'tune', 'dispose']],
    ['a CPU that tuning does not overtake', { gpuMs: 30, tunedMs: 12, cpuMs: 10 }, 'wasm', ['open', 'tune']],
    ['a CPU that tuning overtakes', { gpuMs: 30, tunedMs: 9, cpuMs: 10 }, 'webgpu', ['open', 'tune', 'dispose']],
    ['no tuning', { gpuMs: 30, cpuMs: 10, tuneGpu: null }, 'wasm', ['open']],
  ])('%s', async (_, times, device, seen) => {
    const made = contest(times);
    const { cpu, record, reason } = await made.decision;
    expect([cpu, record?.device]).toEqual([device === 'wasm' ? made.cpu : null, device]);
    expect(made.seen).toEqual(seen);
    expect(reason).toMatch(/^an inference takes .* ms on /);
  });

  it('the GPU, where the CPU gives another output: it is freed, and that is remembered', async () => {
    const { decision, seen } = contest({ differs: () => 'logits' });
    expect(await decision).toMatchObject({
      cpu: null,
      reason: 'the GPU runs: on fake the output "logits" is another',
      record: { device: 'webgpu' },
    });
    expect(seen).toEqual(['open', 'dispose']);
  });

  it('the GPU, where the CPU cannot be had: the next visit tries again', async () => {
    const openCpu = async () => {
      throw new DeviceError('no file');
    };
    expect(await contest({ openCpu }).decision).toEqual({
      cpu: null,
      reason: 'the GPU runs, as the CPU engine cannot: no file',
      record: null,
    });
  });

  it('the GPU, where the CPU opens and then cannot: it is freed', async () => {
    const runCpu = async () => {
      throw new DeviceError('no memory');
    };
    const { decision, seen } = contest({ runCpu });
    expect(await decision).toEqual({
      cpu: null,
      reason: 'the GPU runs, as the CPU engine cannot: no memory',
      record: null,
    });
    expect(seen).toEqual(['open', 'dispose']);
  });

  it('a fault that is none of this package is not passed over', async () => {
    const openCpu = async () => {
      throw new TypeError('a fault');
    };
    await expect(contest({ openCpu }).decision).rejects.toThrow(TypeError);
  });
});

/** A CPU engine that gives zeros, as the made-up GPU does. */
function fakeEngine(delayMs = 0) {
  const opened: { readonly file: Uint8Array | null; disposed: boolean; runs: number }[] = [];
  const engine: CpuEngine = {
    name: 'fake',
    async open({ graph, file }) {
      const entry = { file, disposed: false, runs: 0 };
      opened.push(entry);
      return {
        asFile: file !== null,
        integers: false,
        async run() {
          entry.runs++;
          if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs));
          return Object.fromEntries(graph.outputs.map(({ name }) => [name, new Float32Array(1000)]));
        },
        dispose() {
          entry.disposed = true;
        },
      };
    },
  };
  return { engine, opened };
}

function memoryCache() {
  const records = new Map<string, unknown>();
  const cache: TuningCache = {
    get: async (key) => structuredClone(records.get(key)),
    set: async (key, value) => void records.set(key, structuredClone(value)),
  };
  return { cache, records };
}

/** An adapter of software, whose every readback takes a while. */
function slowGpu(ms: number): { fake: FakeGpu; gpu: GPU } {
  const fake = new FakeGpu();
  Object.defineProperty(fake, 'mapping', { get: () => new Promise((resolve) => setTimeout(resolve, ms)) });
  const gpu = {
    requestAdapter: async () => ({ ...(await fake.gpu.requestAdapter()), info: { isFallbackAdapter: true } }),
  } as unknown as GPU;
  return { fake, gpu };
}

describe('load', () => {
  const id = 'v1-0.25-32';
  const open = (options: LoadOptions) => load(id, { tuning: 'off', tuningCache: null, selfCheck: 'off', ...options });
  const run = async (model: Awaited<ReturnType<typeof load>>) => {
    await model.run(seededInputs(model.graph));
    await model.tuned;
  };
  afterEach(() => vi.restoreAllMocks());

  it('on a fast GPU asks for no byte of the CPU engine, and remembers that', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch');
    const { cache, records } = memoryCache();
    const { engine, opened } = fakeEngine();
    for (const cpu of [engine, 'https://cpu.test/litert/']) {
      const model = await open({ gpu: new FakeGpu().gpu, cpu, tuningCache: cache });
      await run(model);
      expect(model.device).toBe('webgpu');
      model.dispose();
    }
    expect([opened.length, fetched.mock.calls.length]).toEqual([0, 0]);
    expect(JSON.stringify([...records.values()])).toContain('"device":"webgpu"');
  });

  it('moves to the CPU after the first result where the GPU is slow, frees the GPU, and starts there the next time', async () => {
    const { cache } = memoryCache();
    const { engine, opened } = fakeEngine();
    const { fake, gpu } = slowGpu(20);
    const model = await open({ gpu, cpu: engine, tuningCache: cache });
    expect(model.device).toBe('webgpu');
    const inputs = seededInputs(model.graph);
    const order: number[] = [];
    const early = [0, 1, 2].map((i) => model.run(inputs).then(() => order.push(i)));
    await Promise.all(early);
    await model.tuned;
    expect(model.device).toBe('wasm');
    expect(model.deviceReason).toMatch(/^an inference takes [\d.]+ ms on fake and [\d.]+ ms on the GPU$/);
    expect((await model.run(inputs)).logits).toHaveLength(1000);
    expect([fake.destroyed, fake.misused]).toEqual([true, []]);
    expect(order).toEqual([0, 1, 2]);
    await expect(model.profile()).rejects.toThrow(/there is no GPU to profile \(an inference takes/);
    model.dispose();
    expect(opened[0]!.disposed).toBe(true);

    const again = await open({ gpu: slowGpu(20).gpu, cpu: engine, tuningCache: cache });
    expect([again.device, again.tuned]).toEqual(['wasm', null]);
    expect(again.deviceReason).toMatch(/^the CPU runs: here an inference took [\d.]+ ms on fake and [\d.]+ ms/);
    again.dispose();
  });

  it('stays on the GPU where the CPU is slower', async () => {
    const { engine, opened } = fakeEngine(100);
    const model = await open({ gpu: slowGpu(5).gpu, cpu: engine });
    await run(model);
    expect([model.device, opened[0]!.disposed]).toEqual(['webgpu', true]);
    model.dispose();
  });

  it('has the GPU tuned where the CPU engine has a fault, and tells of the fault', async () => {
    const engine: CpuEngine = {
      name: 'faulty',
      async open() {
        throw new TypeError('a fault');
      },
    };
    const tune = vi.spyOn(Model.prototype, 'tune').mockResolvedValue({} as never);
    const model = await open({ gpu: slowGpu(20).gpu, cpu: engine, tuning: 'background' });
    await model.run(seededInputs(model.graph));
    await expect(model.tuned).rejects.toThrow('a fault');
    expect([model.device, tune.mock.calls.length]).toEqual(['webgpu', 1]);
    model.dispose();
  });

  it('disposed of while devices are compared: both are freed', async () => {
    const { engine, opened } = fakeEngine(5);
    const { fake, gpu } = slowGpu(20);
    const model = await open({ gpu, cpu: engine });
    await model.run(seededInputs(model.graph));
    model.dispose();
    await expect(model.tuned).rejects.toThrow(UsageError);
    expect(fake.destroyed).toBe(true);
    expect(opened.every(({ disposed }) => disposed)).toBe(true);
  });

  const none = new FakeGpu();
  none.adapters = false;

  it('runs on the CPU engine where there is no adapter, and on it alone where it is asked for', async () => {
    const { engine, opened } = fakeEngine();
    const model = await open({ gpu: none.gpu, cpu: engine });
    expect([model.device, model.deviceReason]).toEqual(['wasm', expect.stringMatching(/^WebGPU found no adapter/)]);
    await run(model);
    expect(opened[0]!.runs).toBe(1);
    const asked = await open({ device: 'wasm', gpu: new FakeGpu().gpu, cpu: engine });
    expect([asked.device, asked.deviceReason]).toEqual(['wasm', 'the CPU engine was asked for']);
    const picture = { width: 2, height: 2, data: new Uint8Array(16) };
    const fit = {
      fit: 'stretch',
      cropFraction: 1,
      filter: 'bilinear',
      antialias: true,
      corners: 'half-pixel',
    } as const;
    const image = { ...fit, channels: 'rgb', scale: [1], offset: [0] } as const;
    expect(await asked.classify(picture, { image, top: 1 })).toMatchObject([{ index: 0 }]);
    await expect(asked.run({})).rejects.toThrow(UsageError);
    await expect(open({ device: 'wasm', cpu: false })).rejects.toThrow(
      /^there is no CPU engine: install @litertjs\/core/,
    );
  });

  it('runs on the reference with one warning where there is neither', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (let i = 0; i < 2; i++) {
      const model = await open({ gpu: none.gpu, cpu: false });
      expect(model.device).toBe('reference');
    }
    const gone: CpuEngine = {
      name: 'gone',
      open: async () => {
        throw new DeviceError('it is gone');
      },
    };
    const model = await open({ gpu: none.gpu, cpu: gone });
    expect([model.device, model.deviceReason]).toEqual([
      'reference',
      expect.stringMatching(/no adapter.*; it is gone$/),
    ]);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/slow CPU reference \(WebGPU found no adapter/)]]);
    await open({ device: 'reference' });
    expect(warn).toHaveBeenCalledTimes(1);
  });
});
