/** Functions that the tests of the scheduler run in the browser. */

import { composedFilter, normalConvolution, separableConvolution } from '../../demo/learn/graphs.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { openGpu } from '../../src/device/gpu.ts';
import { sizeOf } from '../../src/graph/shapes.ts';
import { type Graph, load, Model, type PlanKind, type Precision, seededInputs } from '../../src/index.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { prepare } from '../../src/passes/index.ts';
import { createPlan, packConstants } from '../../src/planner/create-plan.ts';
import { Executor } from '../../src/scheduler/executor.ts';
import { shippedPreferences } from '../../src/tuning/shipped.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { type ValidationReport, validate } from '../../src/validate/validate.ts';

export interface Calls {
  dispatches: number;
  submits: number;
  passes: number;
  /** Pipelines, buffers, bind groups, modules, layouts, textures, query sets. */
  created: number;
  pipelines: number;
}

const creations = [
  'createBuffer',
  'createBindGroup',
  'createBindGroupLayout',
  'createPipelineLayout',
  'createComputePipeline',
  'createComputePipelineAsync',
  'createShaderModule',
  'createTexture',
  'createSampler',
  'createQuerySet',
] as const;

/** Counts calls of WebGPU while `work` runs. */
export async function counted<T>(work: () => Promise<T>): Promise<Calls> {
  const calls: Calls = { dispatches: 0, submits: 0, passes: 0, created: 0, pipelines: 0 };
  const restore: (() => void)[] = [];
  const wrap = <O extends object>(prototype: O, name: keyof O & string, count: (args: unknown[]) => void) => {
    const original = prototype[name] as (...args: unknown[]) => unknown;
    (prototype as Record<string, unknown>)[name] = function (this: unknown, ...args: unknown[]) {
      count(args);
      return original.apply(this, args);
    };
    restore.push(() => {
      (prototype as Record<string, unknown>)[name] = original;
    });
  };
  wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => calls.dispatches++);
  wrap(GPUCommandEncoder.prototype, 'beginComputePass', () => calls.passes++);
  wrap(GPUQueue.prototype, 'submit', ([buffers]) => {
    // An empty submit only nudges browsers that look at their queue now and then.
    if ((buffers as unknown[]).length > 0) calls.submits++;
  });
  for (const name of creations) {
    wrap(GPUDevice.prototype, name, () => {
      calls.created++;
      if (name === 'createComputePipelineAsync') calls.pipelines++;
    });
  }
  try {
    await work();
  } finally {
    for (const undo of restore) undo();
  }
  return calls;
}

/** Calls while a model is made ready, and while it runs warm. `id`: of a network, or a file. */
export async function countCalls({ id, plan }: { id: string | Uint8Array; plan: PlanKind }) {
  let model: Model | undefined;
  const loading = await counted(async () => {
    model = await load(id, { device: 'webgpu', plan, tuning: 'off', selfCheck: 'off' });
  });
  const inputs = seededInputs(model!.graph);
  await model!.run(inputs);
  const running = await counted(() => model!.run(inputs));
  const inspection = await model!.inspect();
  model!.dispose();
  const { precision } = model!;
  return { loading, running, inspected: plan === 'fused' ? inspection.fused : inspection, precision };
}

/** A model against the reference, end to end. */
export async function endToEnd({ id, plan, precision }: { id: string; plan: PlanKind; precision?: Precision }) {
  const model = await load(id, { device: 'webgpu', plan, ...(precision ? { precision } : {}) });
  try {
    const inputs = seededInputs(model.graph, 7);
    const [actual, expected] = [await model.run(inputs), await model.runReference(inputs)];
    return compareOutputs(actual.logits!, expected.logits!);
  } finally {
    model.dispose();
  }
}

/** Every layer of a model within its bound, with halves stored as the adapter can, and packed in pairs. */
export async function validateHalves({ id }: { id: string }) {
  const models = [
    await load(id, { device: 'webgpu', precision: 'float16-storage' }),
    await Model.create(buildArchitecture(id), await openGpu(), '', { precision: 'float16-packed' }),
  ];
  const reports = [];
  for (const model of models) {
    const { ok, layers, precision } = await model.validate();
    reports.push({ ok, precision, failed: layers.filter((layer) => !layer.ok).map(({ name }) => name) });
    model.dispose();
  }
  return reports;
}

/** Several runs at once, an abort among them, give what they give alone. */
export async function concurrentRuns({ id }: { id: string }) {
  const model = await load(id, { device: 'webgpu' });
  const inputs = [1, 2, 3].map((seed) => seededInputs(model.graph, seed));
  const alone: Float32Array[] = [];
  for (const input of inputs) alone.push((await model.run(input)).logits!);
  const stop = new AbortController();
  const aborted = model.run(inputs[0]!, { signal: stop.signal }).then(
    () => 'finished',
    (error: Error) => error.message,
  );
  stop.abort(new Error('stopped by the test'));
  const together = await Promise.all(inputs.map((input) => model.run(input)));
  const same = together.every(({ logits }, i) => logits!.every((value, j) => Object.is(value, alone[i]![j])));
  const different = alone[0]!.some((value, i) => value !== alone[1]![i]);
  model.dispose();
  return { same, different, aborted: await aborted };
}

/** Runs that overlap, one of them stopped, work that wants the device alone between them, and a run after that. */
export async function overlappedRuns({ id }: { id: string }) {
  const gpu = await openGpu();
  const prepared = prepare(buildArchitecture(id));
  const kernels = await allKernels();
  const plan = createPlan(prepared, kernels, { preferences: await shippedPreferences(gpu.adapter) });
  const executor = await Executor.create(gpu, plan, packConstants(prepared, plan, kernels));
  const inputs = Array.from({ length: 8 }, (_, i) => seededInputs(prepared, i + 1).input!);
  const alone: Float32Array[] = [];
  for (const input of inputs) alone.push((await executor.run(input)).logits!);
  const order: string[] = [];
  const log = (name: string) => () => order.push(name);
  const stop = new AbortController();
  let submitted = 0;
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (buffers) {
    if ([...buffers].length > 0) submitted++;
    return submit.call(this, buffers);
  };
  let atOnce = 0;
  let results: (Float32Array | string)[] = [];
  const calls = await counted(async () => {
    const runs = inputs.map((input, i) => executor.run(input, i === 4 ? { signal: stop.signal } : {}));
    atOnce = submitted;
    for (const input of inputs) input.fill(0);
    stop.abort(new Error('stopped by the test'));
    runs.forEach((run, i) => {
      run.then(log(`${i}`), () => {});
    });
    const exclusive = executor.exclusive(async () => {
      const before = submitted;
      await gpu.device.queue.onSubmittedWorkDone();
      order.push(`alone, ${before} to ${submitted} submits`);
    });
    const last = executor.run(seededInputs(prepared, 1).input!).then(({ logits }) => {
      log('last')();
      return logits!;
    });
    const settled = await Promise.allSettled([...runs.map((run) => run.then(({ logits }) => logits!)), last]);
    results = settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message));
    await exclusive;
  });
  GPUQueue.prototype.submit = submit;
  executor.dispose();
  gpu.dispose();
  const same = results.map((result, i) => {
    const expected = alone[i % 8]!;
    return typeof result === 'string' ? result : result.every((value, j) => Object.is(value, expected[j]));
  });
  return { atOnce, created: calls.created, submits: calls.submits, order, same };
}

/** What a model says after its device was destroyed, and after it was disposed of. */
export async function lostAndDisposed() {
  const message = (promise: Promise<unknown>) =>
    promise.then(
      () => 'no error',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  const attempt = (work: () => Promise<unknown>) => message(Promise.resolve().then(work));
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  const model = await load('v1-0.25-32', { gpuDevice: device });
  const inputs = seededInputs(model.graph);
  await model.run(inputs);
  device.destroy();
  await device.lost;
  const lost = await attempt(() => model.run(inputs));
  const other = await load('v1-0.25-32', { device: 'webgpu' });
  const wrongLength = await attempt(() => other.run(new Float32Array(5)));
  const wrongName = await attempt(() => other.run({ picture: new Float32Array(5) }));
  other.dispose();
  const disposed = await attempt(() => other.run(inputs));
  return { lost, disposed, wrongLength, wrongName };
}

/** What runs say that are under way when their device is destroyed, or their model disposed of. */
export async function interrupted() {
  const message = (promise: Promise<unknown>) =>
    promise.then(
      () => 'no error',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  const onDevice = await load('v1-0.25-64', { gpuDevice: device });
  const destroyed = message(onDevice.run(seededInputs(onDevice.graph)));
  device.destroy();
  const other = await load('v1-0.25-64', { device: 'webgpu' });
  const disposed = message(other.run(seededInputs(other.graph)));
  other.dispose();
  return { destroyed: await destroyed, disposed: await disposed };
}

/** Three images at once give what each gives alone; a picture is refused; a waiting run keeps what it was given. */
export async function batches({ id }: { id: string }) {
  const batch = await load(buildArchitecture(id, { batch: 3 }), { device: 'webgpu' });
  const single = await load(id, { device: 'webgpu' });
  const { input } = seededInputs(batch.graph);
  const { logits } = await batch.run(input!);
  const [reference] = Object.values(await batch.runReference(input!));
  const part = input!.length / 3;
  const frame = input!.slice(0, part);
  const first = single.run(frame);
  const second = single.run(frame);
  frame.fill(0);
  const [a, b] = [(await first).logits!, (await second).logits!];
  const rule = { fit: 'stretch', cropFraction: 1, filter: 'bilinear', antialias: true, corners: 'half-pixel' } as const;
  const image = { ...rule, channels: 'rgb', scale: [1], offset: [0] } as const;
  const refusal = (model: Model, bytes: number) =>
    model.classify({ width: 8, height: 8, data: new Uint8Array(bytes) }, { image }).then(
      () => 'no error',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  const [batchOfPictures, shortPicture] = [await refusal(batch, 256), await refusal(single, 100)];
  batch.dispose();
  single.dispose();
  return {
    againstReference: compareOutputs(logits!, reference!),
    firstAlone: compareOutputs(logits!.slice(0, a.length), a),
    waited: compareOutputs(a, b),
    batchOfPictures,
    shortPicture,
  };
}

/** The lesson on the GPU: both ways with one composed filter. */
export async function lessonOnGpu(lesson: { size: number; kernel: number; inChannels: number; outChannels: number }) {
  const run = async (graph: Graph) => {
    const model = await load(graph, { device: 'webgpu', plan: 'unfused' });
    const output = (await model.run(seededInputs(graph))).output!;
    const reference = (await model.runReference(seededInputs(graph))).output!;
    model.dispose();
    return { output, reference };
  };
  const [normal, separable] = [await run(normalConvolution(lesson)), await run(separableConvolution(lesson))];
  return {
    length: normal.output.length,
    between: compareOutputs(normal.output, separable.output),
    againstReference: compareOutputs(separable.output, separable.reference),
    taps: composedFilter({ depthwise: new Float32Array(9), pointwise: new Float32Array(4) }, 1).length,
  };
}

/**
 * Validates a model in which the largest weight of one layer is 1 % off in its GPU buffer. Bias and packed layout are
 * untouched: the weight is found in the packed constant by its value.
 */
export async function validateTampered({ id, layer }: { id: string; layer: string }): Promise<ValidationReport> {
  const gpu = await openGpu();
  const graph = buildArchitecture(id);
  const prepared = prepare(graph);
  const kernels = await allKernels();
  const { create } = Executor;
  Executor.create = async (...options) => {
    const executor = await create.apply(Executor, options);
    for (const { slot, data } of packConstants(prepared, executor.plan, kernels)) {
      if (slot.node !== layer || slot.index !== 0 || !(data instanceof Float32Array)) continue;
      const largest = data.reduce((best, value, i) => (Math.abs(value) > Math.abs(data[best]!) ? i : best), 0);
      const damaged = data.slice();
      damaged[largest]! *= 1.01;
      executor.resources.writeConstant(slot, damaged);
    }
    return executor;
  };
  try {
    return await validate({
      gpu,
      graph,
      prepared,
      plan: 'unfused',
      preferences: await shippedPreferences(gpu.adapter),
      inputs: seededInputs(graph),
    });
  } finally {
    Executor.create = create;
    gpu.dispose();
  }
}

/** Validates a model on a device that compiles a changed text of one shader. */
export async function validateChanged(change: { id: string; label: string; from: string; to: string }) {
  const gpu = await openGpu();
  const graph = buildArchitecture(change.id);
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    if (descriptor.label !== change.label) return createShaderModule.call(this, descriptor);
    if (!descriptor.code.includes(change.from)) throw new Error(`${change.label} does not hold "${change.from}"`);
    return createShaderModule.call(this, { ...descriptor, code: descriptor.code.replaceAll(change.from, change.to) });
  };
  try {
    return await validate({
      gpu,
      graph,
      prepared: prepare(graph),
      plan: 'unfused',
      preferences: { ...(await shippedPreferences(gpu.adapter)), prefer: ['conv-stem'] },
      inputs: seededInputs(graph),
    });
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
    gpu.dispose();
  }
}

/** What runs say whose commands are invalid: a buffer that they use was destroyed. */
export async function refusedRun({ id }: { id: string }) {
  const gpu = await openGpu();
  const prepared = prepare(buildArchitecture(id));
  const kernels = await allKernels();
  const plan = createPlan(prepared, kernels, { preferences: await shippedPreferences(gpu.adapter) });
  const executor = await Executor.create(gpu, plan, packConstants(prepared, plan, kernels));
  const inputs = seededInputs(prepared);
  await executor.run(inputs);
  executor.resources.arena[0]!.destroy();
  const said = () =>
    executor.run(inputs).then(
      () => 'no error',
      (error: Error) => `${error.name}: ${error.message}`,
    );
  const [refused, after] = [await said(), await said()];
  executor.dispose();
  gpu.dispose();
  return { refused, after };
}

/** A plan that went through JSON runs as the plan itself. */
export async function planAsJson({ id }: { id: string }) {
  const gpu = await openGpu();
  const prepared = prepare(buildArchitecture(id));
  const kernels = await allKernels();
  const plan = createPlan(prepared, kernels, { preferences: await shippedPreferences(gpu.adapter) });
  const copy = JSON.parse(JSON.stringify(plan)) as typeof plan;
  const [input] = prepared.inputs;
  const values = new Float32Array(sizeOf(input!.shape)).fill(0.5);
  const results: Float32Array[] = [];
  for (const each of [plan, copy]) {
    const executor = await Executor.create(gpu, each, packConstants(prepared, each, kernels));
    results.push((await executor.run(values)).logits!);
    executor.dispose();
  }
  gpu.dispose();
  return results[0]!.every((value, i) => Object.is(value, results[1]![i]));
}
