/** A model in a worker beside the same model in the page. */
import {
  DeviceError,
  load,
  type Model,
  ModelFormatError,
  seededInputs,
  UsageError,
  type WorkerModel,
} from '../../src/index.ts';

const id = 'v1-0.25-64';
const image = 'keras';

const inWorker = (options: Partial<Parameters<typeof load>[1]> = {}) =>
  load(id, { tuningCache: null, tuning: 'off', ...options, worker: true }) as Promise<WorkerModel>;

function painted(): OffscreenCanvas {
  const canvas = new OffscreenCanvas(90, 70);
  const context = canvas.getContext('2d')!;
  for (let x = 0; x < 90; x += 6) {
    context.fillStyle = `hsl(${4 * x} 80% 50%)`;
    context.fillRect(x, x / 3, 30, 20);
  }
  return canvas;
}

/** Each answer of the worker beside the page's. */
export async function sameAnswers() {
  const stages: string[] = [];
  const there = await inWorker({ onProgress: ({ stage }) => stages.push(stage) });
  const here = await load(id, { tuningCache: null, tuning: 'off' });
  try {
    const inputs = seededInputs(there.graph);
    const kept = Object.values(inputs)[0]!.length;
    const ask = async (model: Model | WorkerModel) => {
      const canvas = painted();
      const bitmap = await createImageBitmap(canvas);
      const pixels = canvas.getContext('2d')!.getImageData(0, 0, 90, 70);
      const frame = typeof VideoFrame === 'undefined' ? bitmap : new VideoFrame(bitmap, { timestamp: 0 });
      const file = await canvas.convertToBlob({ type: 'image/png' });
      const pictures = [canvas, bitmap, pixels, frame, file];
      const answers = {
        run: (await model.run(inputs)).logits,
        classified: await model.classify(pictures, { image, top: 2 }),
        one: await model.classify(pixels, { image, top: 3 }),
        inspected: (await model.inspect()).macs,
        profiled: (await model.profile(inputs).catch((error: Error) => error.name)) !== null,
        saved: (await model.save()).length,
        valid: (await model.validate()).ok,
        state: [model.device, model.precision, model.planKind, model.inputs, model.outputs, model.assumptions],
        // Features are a set.
        adapter: { ...model.adapter, features: [...model.adapter!.features].sort() },
        plan: model.plan.dispatches.map(({ kernel }) => kernel),
        nodes: model.graph.nodes.map(({ name, op }) => [name, op]),
        // The caller's pictures stay the caller's.
        stays: [bitmap.width, pixels.data.length, frame instanceof ImageBitmap ? 90 : frame.codedWidth],
      };
      if (!(frame instanceof ImageBitmap)) frame.close();
      return answers;
    };
    const [a, b] = [await ask(there), await ask(here)];
    const names = Object.keys(a) as (keyof typeof a)[];
    return {
      different: names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name])),
      inputKept: Object.values(inputs)[0]!.length === kept,
      stages: [...new Set(stages)],
      device: there.device,
    };
  } finally {
    there.dispose();
    here.dispose();
  }
}

/** What is thrown, by the class that it is of here. */
async function thrown(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'nothing';
  } catch (error) {
    for (const type of [ModelFormatError, UsageError, DeviceError]) {
      if (error instanceof type) return `${type.name} ${(error as Error).name} ${error.code}: ${error.message}`;
    }
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

export async function errors() {
  const model = await inWorker();
  const reason = new RangeError('enough');
  const abort = new AbortController();
  const validating = model.validate(undefined, {
    signal: abort.signal,
    onLayer: (done) => {
      if (done === 3) abort.abort(reason);
    },
  });
  const own = await validating.then(
    () => 'nothing',
    (error: unknown) => error === reason,
  );
  const format = await thrown(() => load(new Uint8Array([1, 2, 3]), { name: 'bad.bin', worker: true }));
  const field = await load(new Uint8Array([1, 2, 3]), { name: 'bad.bin', worker: true }).catch((e) => e.file);
  const weights = await thrown(async () => (model.graph.nodes[0] as unknown as { weights: unknown }).weights);
  const usage = await thrown(() => model.run(new Float32Array(3)));
  const aborted = await thrown(() =>
    load(id, { worker: true, signal: AbortSignal.abort(new UsageError('too early')) }),
  );
  const missing = await thrown(() => load(id, { worker: '/nowhere/worker.js' }));
  const objects = await thrown(() =>
    load(id, { worker: true, tuningCache: { get: async () => 0, set: async () => {} } }),
  );
  const running = thrown(() => model.run(seededInputs(model.graph)));
  model.dispose();
  return {
    own,
    format,
    field,
    weights,
    usage,
    aborted,
    missing,
    objects,
    running: await running,
    disposed: await thrown(() => model.run(seededInputs(model.graph))),
  };
}

/** For a trace: load, first result, tuning and runs. */
export async function traced(source: string) {
  performance.mark('worker starts');
  const model = await load(source, { worker: true, tuningCache: null });
  const inputs = seededInputs(model.graph);
  await model.run(inputs);
  await model.classify(painted(), { image });
  await model.tuned;
  for (let i = 0; i < 5; i++) await model.run(inputs);
  const { device } = model;
  model.dispose();
  performance.mark('worker ends');
  return device;
}
