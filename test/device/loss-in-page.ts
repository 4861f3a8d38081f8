/** Devices that are lost while a model uses them. */

import { type LoadOptions, load, type Model, type ModelSource, seededInputs } from '../../src/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';

const id = 'v1-0.25-64';

/** Wraps a method until `restore`. */
function around<O extends object>(
  prototype: O,
  name: keyof O,
  // biome-ignore lint/suspicious/noExplicitAny: of whatever method
  then: (result: unknown, args: any[], self: O) => void,
) {
  const original = prototype[name] as (...args: unknown[]) => unknown;
  (prototype as Record<keyof O, unknown>)[name] = function (this: O, ...args: unknown[]) {
    const result = original.apply(this, args);
    then(result, args, this);
    return result;
  };
  return () => {
    (prototype as Record<keyof O, unknown>)[name] = original;
  };
}

/** Devices that are opened meanwhile, and bytes that each of them holds. */
function watchDevices() {
  const devices: GPUDevice[] = [];
  const held = new Map<object, { readonly device: GPUDevice; readonly bytes: number }>();
  const made = (object: unknown, bytes: number, device: GPUDevice) => held.set(object as object, { device, bytes });
  const restore = [
    around(GPUAdapter.prototype, 'requestDevice', (opening) => {
      (opening as Promise<GPUDevice>).then((device) => devices.push(device));
    }),
    around(GPUDevice.prototype, 'createBuffer', (buffer, [{ size }], device) => made(buffer, size, device)),
    around(GPUDevice.prototype, 'createTexture', (texture, _, device) => made(texture, 1, device)),
    around(GPUBuffer.prototype, 'destroy', (_, __, buffer) => held.delete(buffer)),
    around(GPUTexture.prototype, 'destroy', (_, __, texture) => held.delete(texture)),
  ];
  return {
    devices,
    heldBy: (device: GPUDevice) =>
      [...held.values()].filter((one) => one.device === device).reduce((sum, { bytes }) => sum + bytes, 0),
    restore: () => {
      for (const undo of restore) undo();
    },
  };
}

const said = (error: Error) => `${error.name}: ${error.message}`;

/** After the first submit of commands that are called like this. */
function submitted(label: string, then: () => void) {
  let encoded = false;
  const encoders = around(GPUDevice.prototype, 'createCommandEncoder', (_, [descriptor]) => {
    encoded ||= descriptor?.label?.startsWith(label) ?? false;
  });
  const submits = around(GPUQueue.prototype, 'submit', (_, [commands]) => {
    if (encoded && [...commands].length > 0) then();
  });
  return () => {
    submits();
    encoders();
  };
}

/** Destroys the latest device the first time that a call with such a label is made. */
const triggers: Record<string, (destroy: () => void) => () => void> = {
  compile: (destroy) => around(GPUDevice.prototype, 'createComputePipelineAsync', destroy),
  upload: (destroy) => around(GPUQueue.prototype, 'writeTexture', destroy),
  'first inference': (destroy) => submitted(id, destroy),
  'picture stage': (destroy) =>
    around(GPUDevice.prototype, 'createBuffer', (_, [{ label }]) => {
      if (label === 'pixels') destroy();
    }),
  readback: (destroy) =>
    around(GPUBuffer.prototype, 'mapAsync', (mapping, _, { label }) => {
      if (/^readback \d/.test(label)) (mapping as Promise<void>).then(destroy, () => {});
    }),
  'trial of a kernel': (destroy) => submitted('trial of', destroy),
  'plan taken up': (destroy) =>
    around(GPUDevice.prototype, 'createBuffer', (_, [{ label }]) => {
      if (label === 'trial uniforms') {
        // What the tuner makes next of this kind belongs to the plan that follows.
        const undo = around(GPUDevice.prototype, 'createBuffer', (__, [next]) => {
          if (next.label !== 'constants') return;
          undo();
          destroy();
        });
      }
    }),
};

const image = {
  ...({ fit: 'stretch', cropFraction: 1, filter: 'bilinear', antialias: true, corners: 'half-pixel' } as const),
  ...({ channels: 'rgb', scale: [1 / 255], offset: [0] } as const),
};
const picture = { width: 50, height: 40, data: Uint8Array.from({ length: 8000 }, (_, i) => (i * 7919) % 251) };

/** Everything that a user does with a model, each step's outcome as one line. */
async function live(
  source: ModelSource,
  tunes: boolean,
  idle: (model: Model) => Promise<void>,
  options: Pick<LoadOptions, 'keepWeights'> = {},
) {
  const steps: Record<string, string> = {};
  const values: Float32Array[] = [];
  const step = async (name: string, work: () => Promise<unknown>) => {
    steps[name] = await work().then(() => 'ok', said);
  };
  let model = null as Model | null;
  await step('load', async () => {
    model = await load(source, { plan: 'unfused', device: 'webgpu', tuning: 'off', ...options });
  });
  if (!model) return { steps, values, model };
  const made = model;
  const inputs = seededInputs(made.graph, 3);
  const run = async () => void values.push((await made.run(inputs)).logits!);
  await step('run', run);
  await step(
    'classify',
    async () =>
      void values.push(Float32Array.from((await made.classify(picture, { image })).map(({ score }) => score))),
  );
  await idle(made);
  if (tunes) await step('tune', () => made.tune({ budgetMs: 20, cache: null }));
  await step('next', run);
  return { steps, values, model };
}

/** A saved model whose bytes wait for `middle` halfway. */
function slowFile(bytes: Uint8Array<ArrayBuffer>, middle: () => Promise<void>): File {
  const file = new File([bytes], 'model.safetensors');
  const half = bytes.length >> 1;
  const stream = () =>
    new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          if (controller.desiredSize === null) return;
          controller.enqueue(bytes.slice(0, half));
          await middle();
          controller.enqueue(bytes.slice(half));
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  return Object.assign(file, { stream });
}

let undisturbed = null as { readonly expected: readonly Float32Array[]; readonly file: Uint8Array<ArrayBuffer> } | null;

/** The results of a model whose device stays, and the model as a file. */
async function unharmed() {
  const { values, model } = await live(id, false, async () => {});
  const file = await model!.save();
  model!.dispose();
  return { expected: values, file };
}

/**
 * Destroys the engine's device at a stage: what each step of a model's life came to, and whether it gave the same bits. Without
 * `keepWeights` the model is of an address.
 */
export async function destroyedAt({
  stage,
  tunes,
  keepWeights = true,
}: {
  stage: string;
  tunes: boolean;
  keepWeights?: boolean;
}) {
  const watch = watchDevices();
  let lost = null as GPUDevice | null;
  const destroy = () => {
    if (lost) return;
    lost = watch.devices.at(-1)!;
    lost.destroy();
  };
  try {
    undisturbed ??= await unharmed();
    const { expected, file } = undisturbed;
    const undo = triggers[stage]?.(destroy);
    const source =
      stage !== 'streaming load'
        ? keepWeights
          ? id
          : URL.createObjectURL(new Blob([file]))
        : slowFile(file, async () => {
            await new Promise((resolve) => setTimeout(resolve, 300));
            destroy();
          });
    const start = performance.now();
    const idle = async () => {
      if (stage !== 'idle') return;
      destroy();
      await lost!.lost;
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const { steps, values, model } = await live(source, tunes, idle, { keepWeights });
    const ms = performance.now() - start;
    undo?.();
    // Tuned kernels round otherwise.
    const sameBits = values.every((one, i) =>
      tunes && i === 2
        ? compareOutputs(one, expected[i]!).nmse < 1e-10
        : one.every((value, j) => Object.is(value, expected[i]![j])),
    );
    const deadBytes = lost && watch.heldBy(lost);
    model?.dispose();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const left = watch.devices.map((device) => watch.heldBy(device));
    return {
      destroyed: lost !== null,
      steps,
      sameBits,
      results: values.length,
      deadBytes,
      left: Math.max(...left),
      ms,
    };
  } finally {
    watch.restore();
  }
}

/** With a device of the caller's own: it is told, nothing is opened in its place. */
export async function ownDevice() {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  const watch = watchDevices();
  try {
    const model = await load(id, { plan: 'unfused', gpuDevice: device, tuning: 'off' });
    const inputs = seededInputs(model.graph);
    const under = model.run(inputs).then(() => 'ok', said);
    device.destroy();
    const pending = await under;
    const next = await model.run(inputs).then(() => 'ok', said);
    const held = watch.heldBy(device);
    model.dispose();
    return { pending, next, opened: watch.devices.length, held };
  } finally {
    watch.restore();
  }
}

/**
 * Frames, three in flight at once, while the device is lost again and again, by who is told (`lose`) or here: results that
 * are not their frame's own, errors, and milliseconds from each loss to the next result.
 */
export async function stream({ losses, here }: { losses: number; here: boolean }) {
  const watch = watchDevices();
  try {
    const model = await load(id, { plan: 'unfused', device: 'webgpu', tuning: 'off' });
    const frames = Array.from({ length: 7 }, (_, seed) => seededInputs(model.graph, seed + 1));
    const expected: Float32Array[] = [];
    for (const frame of frames) expected.push((await model.run(frame)).logits!);
    const recoveries: number[] = [];
    const errors: string[] = [];
    let [wrong, done, outOfOrder] = [0, 0, 0];
    let lostAt: number | null = null;
    let last = -1;
    const told = new Set<GPUDevice>();
    const lose = async () => {
      const device = watch.devices.at(-1)!;
      if (told.has(device) || told.size === losses) return;
      told.add(device);
      device.lost.then(() => {
        lostAt = performance.now();
      });
      if (here) device.destroy();
      else await reportProgress('lose');
    };
    const one = async (index: number) => {
      try {
        const input = { input: frames[index % 7]!.input!.slice() };
        const running = model.run(input);
        // A caller may use its memory again.
        input.input.fill(0);
        const { logits } = await running;
        if (!logits!.every((value, i) => Object.is(value, expected[index % 7]![i]))) wrong++;
        if (index < last) outOfOrder++;
        last = index;
        done++;
        if (lostAt !== null) recoveries.push(performance.now() - lostAt);
        lostAt = null;
      } catch (error) {
        errors.push(said(error as Error));
      }
    };
    let index = 0;
    const end = performance.now() + 240_000;
    const worker = async () => {
      while ((recoveries.length < losses || lostAt !== null) && performance.now() < end) {
        await one(index++);
        if (index % 5 === 0) await lose();
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    await one(index++);
    const rebuilt = watch.devices.length - 1;
    const dead = watch.devices.slice(0, -1).map((device) => watch.heldBy(device));
    model.dispose();
    return { lost: told.size, rebuilt, done, wrong, outOfOrder, errors, recoveries, dead: Math.max(0, ...dead) };
  } finally {
    watch.restore();
  }
}
