import type { AdapterDescription, Gpu } from './device/gpu.ts';
import { DeviceError, UsageError } from './errors.ts';
import type { Graph, GraphInput, GraphOutput, ImageRule } from './graph/graph.ts';
import { inferShapes } from './graph/shapes.ts';
import { imageToTensor, type Picture } from './images/image-to-tensor.ts';
import { type Inspection, inspect } from './inspect.ts';
import { createPlan, packConstants } from './planner/create-plan.ts';
import type { Plan, Precision } from './planner/plan.ts';
import { type PlanKind, prepare } from './prepare.ts';
import { seededInputs } from './random-inputs.ts';
import { runGraphAsync } from './reference/index.ts';
import { Executor } from './scheduler/executor.ts';
import { type Profile, type ProfileOptions, profile } from './scheduler/profile.ts';
import { checkInputs } from './scheduler/tensors.ts';
import { defaultPreferences } from './tuning/defaults.ts';
import { type ValidationReport, validate } from './validate/validate.ts';

/** Values for the inputs: dense NHWC float32 by input name, or one array where there is one input. */
export type Inputs = Float32Array | Readonly<Record<string, Float32Array>>;

/** Dense NHWC float32 by output name. */
export type Outputs = Record<string, Float32Array>;

export interface Classification {
  readonly index: number;
  /** From the model's labels; null where it has none. */
  readonly label: string | null;
  /** The output's own value where the model ends in a softmax, else the softmax of it. */
  readonly score: number;
}

export interface ModelOptions {
  readonly plan?: PlanKind | undefined;
  readonly precision?: Precision | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onCompiled?: ((done: number, total: number) => void) | undefined;
}

/** A network that is ready to run, on the GPU or, where there is none, on the CPU reference. */
export class Model {
  /** The network as it was loaded. */
  readonly graph: Graph;
  /** After the passes: what the plan runs. */
  readonly prepared: Graph;
  readonly planKind: PlanKind;
  /** Why `device` is what it is; empty where WebGPU was asked for or found. */
  readonly deviceReason: string;
  readonly #gpu: Gpu | null;
  readonly #executor: Executor | null;
  readonly #precision: Precision;
  #plan: Plan | null;
  #disposed = false;

  private constructor(
    graph: Graph,
    prepared: Graph,
    precision: Precision,
    plan: Plan | null,
    planKind: PlanKind,
    gpu: Gpu | null,
    executor: Executor | null,
    deviceReason: string,
  ) {
    this.graph = graph;
    this.prepared = prepared;
    this.#precision = precision;
    this.#plan = plan;
    this.planKind = planKind;
    this.deviceReason = deviceReason;
    this.#gpu = gpu;
    this.#executor = executor;
  }

  /**
   * Prepares `graph` for `gpu`, or for the CPU reference where that is null (`reason` says why). The model takes
   * `gpu` over and disposes of it. Most callers want `load`.
   */
  static async create(graph: Graph, gpu: Gpu | null, reason: string, options: ModelOptions = {}): Promise<Model> {
    const { plan: kind = 'unfused', precision = 'float32', signal, onCompiled } = options;
    try {
      const prepared = prepare(graph, kind);
      if (!gpu) return new Model(graph, prepared, precision, null, kind, null, null, reason);
      const plan = createPlan(prepared, { precision, preferences: defaultPreferences(gpu.adapter) });
      const executor = await Executor.create(gpu, plan, packConstants(prepared, plan), { signal, onCompiled });
      return new Model(graph, prepared, precision, plan, kind, gpu, executor, reason);
    } catch (error) {
      gpu?.dispose();
      throw error;
    }
  }

  /** What the GPU runs; on the CPU what it would. Throws `GraphError` where no GPU could. */
  get plan(): Plan {
    this.#plan ??= createPlan(this.prepared, { precision: this.#precision });
    return this.#plan;
  }

  get device(): 'webgpu' | 'cpu' {
    return this.#gpu ? 'webgpu' : 'cpu';
  }

  /** What the browser tells of the adapter; null on the CPU. */
  get adapter(): AdapterDescription | null {
    return this.#gpu?.adapter ?? null;
  }

  get inputs(): readonly GraphInput[] {
    return this.graph.inputs;
  }

  get outputs(): readonly GraphOutput[] {
    return this.graph.outputs;
  }

  get labels(): readonly string[] | undefined {
    return this.graph.labels;
  }

  /**
   * One inference on `device`. Concurrent calls are taken one after another.
   * Throws `UsageError` where an input does not fit, `DeviceLostError` where the GPU went away.
   */
  async run(inputs: Inputs, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Outputs> {
    this.#check();
    return this.#executor ? this.#executor.run(inputs, options) : this.runReference(inputs, options);
  }

  /** One inference of the graph as loaded on the CPU reference: a validator in plain loops, not a fast CPU. */
  async runReference(
    inputs: Inputs,
    {
      signal,
      onLayer,
    }: {
      readonly signal?: AbortSignal | undefined;
      readonly onLayer?: ((done: number, total: number) => void) | undefined;
    } = {},
  ): Promise<Outputs> {
    this.#check();
    const outputs = await runGraphAsync(this.graph, this.#named(inputs), {
      ...(signal ? { signal } : {}),
      onNode: (_node, _output, index) => onLayer?.(index + 1, this.graph.nodes.length),
    });
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  }

  /** Costs, plan and memory in numbers. */
  inspect(): Inspection {
    return inspect(this.graph);
  }

  /** The time of each dispatch on the GPU. Throws `DeviceError` on the CPU. */
  async profile(inputs: Inputs = seededInputs(this.graph), options: ProfileOptions = {}): Promise<Profile> {
    this.#check();
    if (!this.#executor) throw new DeviceError(`there is no GPU to profile (${this.deviceReason})`);
    return profile(this.#executor, inputs, options);
  }

  /** Every layer and the outputs against the CPU reference. Throws `DeviceError` on the CPU. */
  async validate(
    inputs: Inputs = seededInputs(this.graph),
    {
      plan = this.planKind,
      signal,
      onLayer,
    }: {
      readonly plan?: PlanKind | undefined;
      readonly signal?: AbortSignal | undefined;
      readonly onLayer?: ((done: number, total: number) => void) | undefined;
    } = {},
  ): Promise<ValidationReport> {
    this.#check();
    if (!this.#gpu) throw new DeviceError(`there is no GPU to validate (${this.deviceReason})`);
    return validate({
      gpu: this.#gpu,
      graph: this.graph,
      prepared: prepare(this.graph, plan),
      plan,
      precision: this.#precision,
      preferences: defaultPreferences(this.#gpu.adapter),
      inputs: this.#named(inputs),
      signal,
      onLayer,
    });
  }

  /**
   * The best classes of a picture, by the only output. `image` says how pixels become the input tensor; it may be left
   * out where the file carries the rule.
   */
  async classify(
    picture: Picture,
    {
      top = 5,
      image = this.graph.image,
      signal,
    }: {
      readonly top?: number | undefined;
      readonly image?: ImageRule | undefined;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<Classification[]> {
    if (!image) {
      throw new UsageError(`${this.graph.name} does not say how a picture becomes its input: pass the option "image"`);
    }
    const [input] = this.inputs;
    const [output] = this.outputs;
    if (this.inputs.length !== 1 || this.outputs.length !== 1 || !input || !output) {
      throw new UsageError(
        `${this.graph.name} has ${this.inputs.length} inputs and ${this.outputs.length} outputs; classify needs one of each`,
      );
    }
    this.#check();
    const outputs = this.#executor
      ? await this.#executor.runPicture(picture, image, { signal })
      : await this.run(imageToTensor(picture, image, [input.shape[1], input.shape[2]], input.shape[3]), { signal });
    const values = outputs[output.name]!;
    const endsInSoftmax = this.prepared.nodes.some((node) => node.op === 'softmax' && node.output === output.tensor);
    return topK(endsInSoftmax ? values : softmax(values), top).map(({ index, score }) => ({
      index,
      label: this.labels?.[index] ?? null,
      score,
    }));
  }

  /** Frees the GPU's memory. The model cannot be used afterwards. */
  dispose(): void {
    this.#disposed = true;
    this.#executor?.dispose();
    this.#gpu?.dispose();
  }

  #named(inputs: Inputs): Record<string, Float32Array> {
    const values = checkInputs(inputs, this.graph.inputs);
    return Object.fromEntries(this.graph.inputs.map(({ name }, i) => [name, values[i]!]));
  }

  #check(): void {
    if (this.#disposed) throw new UsageError(`${this.graph.name} was disposed of`);
  }
}

/** The shapes of a model's outputs, by output name. */
export function outputShapes(graph: Graph) {
  const shapes = inferShapes(graph);
  return new Map(graph.outputs.map(({ name, tensor }) => [name, shapes.get(tensor)!]));
}

/** The `k` largest values and their indices, largest first. */
export function topK(values: Float32Array, k: number): { index: number; score: number }[] {
  return [...values.keys()]
    .sort((a, b) => values[b]! - values[a]!)
    .slice(0, k)
    .map((index) => ({ index, score: values[index]! }));
}

/** Probabilities of logits. */
export function softmax(logits: Float32Array): Float32Array {
  const maximum = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = logits.map((value) => Math.exp(value - maximum));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}
