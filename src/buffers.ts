/** Runs of which some inputs or outputs are buffers of the GPU; fetched for the first. */
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

const stages = new WeakMap<Executor, BufferStage>();

/** What runs arrays, and the network that it runs. */
interface ArrayModel {
  readonly graph: Graph;
  readonly outputs: readonly { readonly name: string; readonly shape: Shape }[];
  readonly deviceReason: string;
  run(inputs: Inputs, options: Pick<RunOptions, 'layout' | 'signal'>): Promise<Outputs>;
}

/**
 * As `Model.run`, of which this is the part for buffers: on an executor, where it has its place at once, or has one to itself
 * already (`placed`); without one there is no GPU. Nobody writes into arrays of `inputs` any more.
 */
export async function runBuffers(
  model: ArrayModel,
  inputs: Inputs | BufferInputs,
  { into, layout, signal }: RunOptions,
  executor?: Executor,
  placed = false,
): Promise<Outputs> {
  const channelsFirst = layout === 'nchw';
  const expected = model.graph.inputs;
  const outputs = bound('output', model.outputs, into, channelsFirst);
  const given = bound('input', expected, inputs, channelsFirst);
  const buffers = [...given, ...outputs];
  checkOnce(outputs);
  const others = expected.filter(({ name }) => !given.some((one) => one.name === name));
  const values = others.length > 0 ? checkInputs(arraysOf(inputs), others) : [];
  const arrays = Object.fromEntries(others.map(({ name }, i) => [name, values[i]!]));
  if (!executor) {
    if (buffers.length === 0) return model.run(arrays, { layout, signal });
    throw new DeviceError(`there is no GPU to read or write a GPUBuffer (${model.deviceReason})`);
  }
  const read = await run(executor, buffers, channelsFirst ? fromChannelsFirst(arrays, others) : arrays, signal, placed);
  return channelsFirst ? toChannelsFirst(read, model.outputs) : read;
}

async function run(
  executor: Executor,
  buffers: readonly BoundBuffer[],
  arrays: Readonly<Record<string, Float32Array>>,
  signal: AbortSignal | undefined,
  placed: boolean,
): Promise<Outputs> {
  executor.check();
  const values = executor.plan.inputs.map((name) => arrays[name] ?? null);
  const stage = stages.get(executor) ?? new BufferStage(executor);
  stages.set(executor, stage);
  executor.stages.add(stage);
  const ready = stage.fits(buffers);
  const work = async () => {
    signal?.throwIfAborted();
    try {
      if (!ready) await stage.prepare(buffers);
      return (await executor.infer(signal, stage.beside(buffers, values))).outputs;
    } catch (error) {
      if (!(error instanceof DeviceError) || !/destroyed|mapped/i.test(error.message)) throw error;
      throw new UsageError(`a buffer of this run was destroyed or mapped before it ended: ${error.message}`);
    }
  };
  return placed ? work() : executor.exclusive(work, { signal, need: ready ? 'run' : 'setup' });
}

/** Those of a run's inputs or outputs that are buffers, each checked. Throws `UsageError`. */
function bound(
  is: BoundBuffer['is'],
  tensors: ArrayModel['outputs'],
  given: Inputs | BufferInputs | undefined,
  channelsFirst: boolean,
): BoundBuffer[] {
  if (given === undefined || given instanceof Float32Array) return [];
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const names = [...shapes.keys()];
  if (isBuffer(given)) {
    if (names.length > 1) throw new UsageError(`the model has ${names.length} ${is}s (${names.join(', ')}): name them`);
    return [checked({ is, name: names[0]!, buffer: given, channelsFirst }, shapes.get(names[0]!)!)];
  }
  const buffers: BoundBuffer[] = [];
  for (const [name, buffer] of Object.entries(given)) {
    const shape = shapes.get(name);
    if (!shape) {
      const use = is === 'input' ? '' : ' to write into a buffer';
      throw new UsageError(`there is no ${is} "${name}"${use}: ${names.join(', ')}`);
    }
    if (is === 'input' && !isBuffer(buffer)) continue;
    if (!isBuffer(buffer)) throw new UsageError(`into.${name} is ${String(buffer)}, expected a GPUBuffer`);
    buffers.push(checked({ is, name, buffer, channelsFirst }, shape));
  }
  return buffers;
}

const isBuffer = (value: unknown): value is GPUBuffer => 'mapAsync' in Object(value);

/** What of a run's inputs is no buffer. */
const arraysOf = (inputs: Inputs | BufferInputs): Inputs =>
  inputs instanceof Float32Array
    ? inputs
    : Object.fromEntries(
        Object.entries(inputs as Record<string, Float32Array>).filter(([, value]) => !isBuffer(value)),
      );

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
