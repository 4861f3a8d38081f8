import type { AdapterDescription } from './device/gpu.ts';
import { GraphError, UsageError } from './errors.ts';
import type { Graph } from './graph/graph.ts';
import type { PictureSource } from './images/picture-source.ts';
import type { DeviceLoss, Model, ModelInput, ModelOutput, StreamOptions, StreamTasks } from './model.ts';
import type { Plan } from './planner/plan.ts';
import type { PlanKind } from './planner/prepare.ts';
import type { StreamResult } from './stream.ts';
import type { TuningReport } from './tuning/index.ts';
import {
  type Abort,
  type Answer,
  type Call,
  type ModelState,
  putTogether,
  withAbsentWeights,
} from './worker-crossing.ts';

/**
 * A model in a worker, with the public methods of `Model`. What is passed to them is copied or, where it is a frame made of
 * what was passed, handed over: the caller's stays as it is. Progress, abort and errors cross; the network's weights do not
 * (`graph`, `prepared`: reading them throws `UsageError`), nor do textures and buffers of a GPU.
 */
export type WorkerModel = Pick<Model, keyof Model>;

/** The methods that the worker answers. */
const methods = [
  ...(['run', 'runPicture', 'runReference', 'save', 'inspect', 'profile', 'validate'] as const),
  ...(['classify', 'embed', 'detect', 'pose', 'segment', 'tune'] as const),
];

/** Of these the first argument is a picture, or several. */
const ofPictures: ReadonlySet<string> = new Set(['runPicture', 'classify', 'embed', 'detect', 'pose', 'segment']);

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly listeners: Readonly<Record<string, (...told: readonly unknown[]) => void>>;
}

/** Calls of a worker that runs src/worker.ts. */
export class WorkerCalls {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #ended: unknown = null;
  onState: (state: ModelState) => void = () => {};
  onLost: (loss: DeviceLoss) => void = () => {};

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#hear(data);
    worker.onmessageerror = () => this.end(new UsageError('an answer of the worker could not be read'));
    worker.onerror = (event) => {
      event.preventDefault();
      const why = event.message ? `: ${event.message}` : ', or the policy of this page refuses it';
      this.end(new UsageError(`the worker could not be started or failed${why} (docs/worker.md)`));
    };
  }

  /** Calls a method; functions and a signal of its last argument cross. Throws what the method throws. */
  async call(method: string, args: readonly unknown[], transfer: Transferable[] = []): Promise<unknown> {
    if (this.#ended !== null) throw this.#ended;
    const id = ++this.#calls;
    const at = method === 'tune' || method === 'save' ? 0 : 1;
    const { signal, ...options } = (args[at] ?? {}) as Record<string, unknown> & { signal?: AbortSignal };
    signal?.throwIfAborted();
    const listeners: Record<string, (...told: readonly unknown[]) => void> = {};
    for (const [key, value] of Object.entries(options)) {
      if (typeof value !== 'function') continue;
      if (!key.startsWith('on')) throw new UsageError(`the option "${key}" is a function, which a worker cannot call`);
      listeners[key] = value as (...told: readonly unknown[]) => void;
      delete options[key];
    }
    const call: Call = {
      id,
      method,
      args: args.length > at ? [...args.slice(0, at), options] : args,
      listeners: Object.keys(listeners),
      abortable: signal !== undefined,
    };
    const answered = new Promise<unknown>((resolve, reject) => this.#pending.set(id, { resolve, reject, listeners }));
    const abort = () => this.#worker.postMessage({ abort: id, reason: undefined } satisfies Abort);
    signal?.addEventListener('abort', abort);
    try {
      this.#worker.postMessage(call, transfer);
      return await answered;
    } catch (error) {
      // The reason itself, not a copy of it.
      signal?.throwIfAborted();
      if (error instanceof DOMException && error.name === 'DataCloneError') {
        throw new UsageError(`what was passed to ${method} cannot cross to a worker: ${error.message}`, {
          cause: error,
        });
      }
      throw error;
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Ends the worker; what waits throws `reason`, and so does what is called afterwards. */
  end(reason: unknown): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
  }

  #hear(answer: Answer): void {
    if ('lost' in answer) {
      this.onLost(answer.lost as DeviceLoss);
      return;
    }
    const pending = this.#pending.get(answer.id);
    if ('listener' in answer) {
      pending?.listeners[answer.listener]?.(...answer.told);
      return;
    }
    if (answer.state) this.onState(answer.state);
    if ('error' in answer) pending?.reject(putTogether(answer.error));
    else pending?.resolve(answer.result);
  }
}

/** A model that `load` has made in a worker. */
export class ModelInWorker implements WorkerModel {
  readonly #calls: WorkerCalls;
  readonly #values: Record<string, unknown> = {};
  #tuned = false;
  readonly lost: Promise<DeviceLoss>;
  declare readonly run: Model['run'];
  declare readonly runPicture: Model['runPicture'];
  declare readonly runReference: Model['runReference'];
  declare readonly save: Model['save'];
  declare readonly inspect: Model['inspect'];
  declare readonly profile: Model['profile'];
  declare readonly validate: Model['validate'];
  declare readonly classify: Model['classify'];
  declare readonly embed: Model['embed'];
  declare readonly detect: Model['detect'];
  declare readonly pose: Model['pose'];
  declare readonly segment: Model['segment'];
  declare readonly tune: Model['tune'];

  async *stream<K extends keyof StreamTasks = 'classify'>(
    video: HTMLVideoElement,
    options: StreamOptions<K> = {} as StreamOptions<K>,
  ): AsyncGenerator<StreamResult<StreamTasks[K][1]>, void, undefined> {
    yield* (await import('./stream.ts')).streamOf<StreamTasks[K][1]>(this, video, options);
  }

  constructor(calls: WorkerCalls) {
    this.#calls = calls;
    calls.onState = (state) => this.#learn(state);
    this.lost = new Promise((resolve) => {
      calls.onLost = resolve;
    });
  }

  static {
    for (const method of methods) {
      const value = async function (this: ModelInWorker, ...args: readonly unknown[]): Promise<unknown> {
        const transfer: Transferable[] = [];
        const [first, ...others] = args;
        try {
          const crossing = ofPictures.has(method) ? [await this.#pictures(first, transfer), ...others] : args;
          return await this.#calls.call(method, crossing, transfer);
        } catch (error) {
          // What was handed over is not this side's any more: closing it does nothing.
          for (const made of transfer) if ('close' in made) made.close();
          throw error;
        }
      };
      Object.defineProperty(ModelInWorker.prototype, method, { value });
    }
    const asynchronous = async function (this: ModelInWorker): Promise<void> {
      this.dispose();
    };
    const { dispose } = ModelInWorker.prototype;
    if (Symbol.dispose) Object.defineProperty(ModelInWorker.prototype, Symbol.dispose, { value: dispose });
    if (Symbol.asyncDispose) {
      Object.defineProperty(ModelInWorker.prototype, Symbol.asyncDispose, { value: asynchronous });
    }
  }

  declare readonly [Symbol.dispose]: () => void;
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;

  get graph(): Graph {
    return this.#values.graph as Graph;
  }

  get prepared(): Graph {
    return this.#values.prepared as Graph;
  }

  get planKind(): PlanKind {
    return this.#values.planKind as PlanKind;
  }

  get plan(): Plan {
    if (!this.#values.plan) throw new GraphError(`no GPU could run ${this.graph.name}`);
    return this.#values.plan as Plan;
  }

  get device(): Model['device'] {
    return this.#values.device as Model['device'];
  }

  get report(): string {
    return this.#values.report as string;
  }

  get deviceReason(): string {
    return this.#values.deviceReason as string;
  }

  get precision(): Model['precision'] {
    return this.#values.precision as Model['precision'];
  }

  get adapter(): AdapterDescription | null {
    return this.#values.adapter as AdapterDescription | null;
  }

  get gpuDevice(): null {
    return null;
  }

  get inputs(): readonly ModelInput[] {
    return this.#values.inputs as readonly ModelInput[];
  }

  get outputs(): readonly ModelOutput[] {
    return this.#values.outputs as readonly ModelOutput[];
  }

  get assumptions(): readonly string[] {
    return this.#values.assumptions as readonly string[];
  }

  get labels(): readonly string[] | undefined {
    return this.graph.labels;
  }

  get tuned(): Promise<TuningReport> | null {
    if (!this.#tuned) return null;
    const tuned = this.#calls.call('tuned', []) as Promise<TuningReport>;
    // What fails is told to whoever asks.
    tuned.catch(() => {});
    return tuned;
  }

  dispose(): void {
    this.#calls.end(new UsageError(`${this.graph.name} was disposed of`));
  }

  #learn({ values, tuned }: ModelState): void {
    this.#tuned = tuned;
    for (const [key, value] of Object.entries(values)) {
      this.#values[key] = key === 'graph' || key === 'prepared' ? withAbsentWeights(value as Graph) : value;
    }
  }

  async #pictures(source: unknown, transfer: Transferable[]): Promise<unknown> {
    if (Array.isArray(source)) {
      const crossing = source.map((each) => this.#pictures(each, transfer));
      // Where one fails, the others are in `transfer` before that is told.
      await Promise.allSettled(crossing);
      return Promise.all(crossing);
    }
    return crossingPicture(source as PictureSource, transfer);
  }
}

/** A picture that may be handed over: the caller's own stays with the caller. */
async function crossingPicture(source: PictureSource, transfer: Transferable[]): Promise<unknown> {
  if (typeof source !== 'object' || source === null) return source;
  if (source instanceof Blob) return source;
  if ('createView' in source)
    throw new UsageError('a GPUTexture cannot be passed to a model in a worker: pass a picture');
  if ('data' in source) {
    const data = source.data?.slice();
    if (data) transfer.push(data.buffer);
    return { width: source.width, height: source.height, data };
  }
  if (typeof VideoFrame !== 'undefined' && source instanceof VideoFrame) {
    const frame = source.clone();
    transfer.push(frame);
    return frame;
  }
  const { openPicture } = await import('./images/open-picture.ts');
  const opened = await openPicture(source);
  if ('data' in opened || !(opened.source instanceof ImageBitmap)) {
    throw new UsageError('this picture cannot be passed to a model in a worker: pass an ImageBitmap of it');
  }
  transfer.push(opened.source);
  return opened.source;
}
