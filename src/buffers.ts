/** Runs whose inputs or outputs are no arrays in NHWC: buffers of the GPU, other layouts; fetched for the first. */
import { bufferUsage } from './device/buffers.ts';
import { DeviceError, UsageError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import type { Shape } from './graph/ops.ts';
import { sizeOf } from './graph/shapes.ts';
import { fromChannelsFirst, toChannelsFirst } from './layout.ts';
import type { BufferInputs, Inputs, Outputs, RunOptions } from './run-options.ts';
import { type BoundBuffer, BufferStage } from './scheduler/buffer-stage.ts';
import type { Executor } from './scheduler/executor.ts';
import { checkInputs } from './scheduler/tensors.ts';
import type { TunedExecutor } from './tuning/tuned-executor.ts';

const stages = new WeakMap<Executor, BufferStage>();

/** What runs arrays in NHWC, and the network that it runs. */
interface ArrayModel {
  readonly graph: Graph;
  readonly outputs: readonly { readonly name: string; readonly shape: Shape }[];
  run(inputs: Inputs, options: Pick<RunOptions, 'signal'>): Promise<Outputs>;
}

/** As `Model.run`, of which this is the part for buffers, and for arrays in NCHW. */
export async function runOtherwise(
  model: ArrayModel,
  gpu: () => TunedExecutor,
  inputs: Inputs | BufferInputs,
  { into, layout = 'nhwc', signal }: RunOptions,
): Promise<Outputs> {
  if (layout !== 'nhwc' && layout !== 'nchw') throw new UsageError(`layout is "${layout}", expected nhwc or nchw`);
  const channelsFirst = layout === 'nchw';
  const shapes = new Map(model.outputs.map(({ name, shape }) => [name, shape]));
  const expected = model.graph.inputs;
  const outputs = bound('output', shapes, into, channelsFirst);
  const given = bound('input', new Map(expected.map(({ name, shape }) => [name, shape])), inputs, channelsFirst);
  const buffers = [...given, ...outputs];
  checkOnce(outputs);
  const arrays = arraysOf(
    inputs,
    expected.filter(({ name }) => !given.some((one) => one.name === name)),
    channelsFirst,
  );
  const read =
    buffers.length === 0
      ? await model.run(arrays, { signal })
      : await gpu().inOrder((executor) => run(executor, buffers, arrays, signal), signal, false);
  if (!channelsFirst) return read;
  return Object.fromEntries(
    Object.entries(read).map(([name, data]) => [name, toChannelsFirst(data, shapes.get(name)!)]),
  );
}

/** Of inputs that are no buffers, copies in NHWC, which the caller cannot write into while the run waits. */
function arraysOf(
  inputs: Inputs | BufferInputs,
  expected: Graph['inputs'],
  channelsFirst: boolean,
): Record<string, Float32Array> {
  if (expected.length === 0) return {};
  const values = checkInputs(inputs as Inputs, expected);
  return Object.fromEntries(
    expected.map(({ name, shape }, i) => {
      return [name, channelsFirst ? fromChannelsFirst(values[i]!, shape) : values[i]!.slice()];
    }),
  );
}

async function run(
  executor: Executor,
  buffers: readonly BoundBuffer[],
  arrays: Readonly<Record<string, Float32Array>>,
  signal: AbortSignal | undefined,
): Promise<Outputs> {
  const values = executor.plan.inputs.map((name) => arrays[name] ?? null);
  const stage = stages.get(executor) ?? new BufferStage(executor);
  stages.set(executor, stage);
  executor.stages.add(stage);
  const ready = stage.fits(buffers);
  const prepare = async () => {
    if (!ready) await stage.prepare(buffers);
    return stage.beside(buffers, values);
  };
  try {
    const work = async () => {
      signal?.throwIfAborted();
      return executor.infer(signal, await prepare());
    };
    return (await executor.exclusive(work, { signal, need: ready ? 'run' : 'setup' })).outputs;
  } catch (error) {
    if (!(error instanceof DeviceError) || !/destroyed|mapped/i.test(error.message)) throw error;
    throw new UsageError(`a buffer of this run was destroyed or mapped before it ended: ${error.message}`);
  }
}

/** Those of a run's inputs or outputs that are buffers, each checked. Throws `UsageError`. */
function bound(
  is: BoundBuffer['is'],
  shapes: ReadonlyMap<string, Shape>,
  given: Inputs | BufferInputs | undefined,
  channelsFirst: boolean,
): BoundBuffer[] {
  if (given === undefined || given instanceof Float32Array) return [];
  const names = [...shapes.keys()];
  if (isBuffer(given)) {
    if (names.length > 1) throw new UsageError(`the model has ${names.length} ${is}s (${names.join(', ')}): name them`);
    return [checked({ is, name: names[0]!, buffer: given, channelsFirst }, shapes.get(names[0]!)!)];
  }
  const buffers: BoundBuffer[] = [];
  for (const [name, buffer] of Object.entries(given)) {
    const shape = shapes.get(name);
    if (is === 'input' && (!shape || !isBuffer(buffer))) continue;
    if (!shape) throw new UsageError(`there is no output "${name}" to write into a buffer: ${names.join(', ')}`);
    if (!isBuffer(buffer)) throw new UsageError(`into.${name} is ${String(buffer)}, expected a GPUBuffer`);
    buffers.push(checked({ is, name, buffer, channelsFirst }, shape));
  }
  return buffers;
}

const isBuffer = (value: unknown): value is GPUBuffer => 'mapAsync' in Object(value);

function checked(one: BoundBuffer, shape: Shape): BoundBuffer {
  const { is, name, buffer } = one;
  const bytes = 4 * sizeOf(shape);
  if (buffer.size !== bytes) {
    throw new UsageError(
      `${is} "${name}": the buffer has ${buffer.size} bytes, expected ${bytes}: float32 of [${shape}] without padding`,
    );
  }
  if (!(buffer.usage & bufferUsage.STORAGE)) {
    throw new UsageError(
      `${is} "${name}": the buffer's usage is 0x${buffer.usage.toString(16)}, expected GPUBufferUsage.STORAGE (0x80) among it`,
    );
  }
  if (buffer.mapState && buffer.mapState !== 'unmapped') {
    throw new UsageError(`${is} "${name}": the buffer is ${buffer.mapState}: unmap it before the run`);
  }
  return one;
}

function checkOnce(outputs: readonly BoundBuffer[]): void {
  const seen = new Map<GPUBuffer, string>();
  for (const { name, buffer } of outputs) {
    if (seen.has(buffer)) throw new UsageError(`outputs "${seen.get(buffer)}" and "${name}" go into the same buffer`);
    seen.set(buffer, name);
  }
}
