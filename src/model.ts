import type { Again } from './absent-weights.ts';
import type { CpuExecutor } from './cpu/engine.ts';
import type { AdapterDescription, Gpu } from './device/gpu.ts';
import type { DeviceChoice } from './device-choice.ts';
import { DeviceError, InvalidResultError, UsageError } from './errors.ts';
import type { ArrivingWeights } from './graph/arriving.ts';
import type { Graph, GraphInput, GraphOutput, ImageRule } from './graph/graph.ts';
import { plainImage } from './graph/image-rule.ts';
import type { Pair, Shape } from './graph/ops.ts';
import { withMeanings } from './graph/output-meaning.ts';
import { seededInputs } from './graph/random-inputs.ts';
import { bestClasses } from './graph/scores.ts';
import { inferShapes } from './graph/shapes.ts';
import type { ImageOption } from './images/image-option.ts';
import type { Picture } from './images/picture.ts';
import type { OpenPicture, PictureSource } from './images/picture-source.ts';
import type { Inspection } from './inspect.ts';
import { onIntegers } from './integers.ts';
import type { KernelRegistry } from './kernels/index.ts';
import { MOST_INVOCATIONS } from './kernels/kernel.ts';
import { fromChannelsFirst, toChannelsFirst } from './layout.ts';
import type { LoadOptions } from './load-options.ts';
import type { PlanOption } from './options.ts';
import { createPlan } from './planner/create-plan.ts';
import type { Plan, Precision as Storage } from './planner/plan.ts';
import { type PlanKind, prepareFor } from './planner/prepare.ts';
import { type KernelPreferences, kernelsFor, noPreferences } from './planner/select.ts';
import type { BufferInputs, Inputs, Layout, Outputs, RunOptions } from './run-options.ts';
import type { SaveOptions } from './save-model.ts';
import type { Executor, RankedOutputs, Ranking } from './scheduler/executor.ts';
import type { Profile, ProfileOptions } from './scheduler/profile.ts';
import { checkInputs } from './scheduler/tensors.ts';
import type { StreamResult, StreamTiming } from './stream.ts';
import type { DetectedBox, DetectOptions } from './tasks/detect.ts';
import type { PosedPerson, PoseOptions } from './tasks/pose.ts';
import type { Segmentation, SegmentOptions } from './tasks/segment.ts';
import type { TuningCache } from './tuning/cache.ts';
import type { TuneOptions, TuningReport } from './tuning/index.ts';
import { type SelfCheck, TunedExecutor } from './tuning/tuned-executor.ts';
import type { ValidationReport } from './validate/validate.ts';
import { version } from './version.ts';

export interface ModelInput extends GraphInput {
  readonly layout: Layout;
}

export interface ModelOutput extends GraphOutput {
  readonly shape: Shape;
  readonly layout: Layout;
}

/** `destroyed`: by `dispose` or whoever brought the device. */
export interface DeviceLoss {
  readonly reason: 'unknown' | 'destroyed';
  readonly message: string;
}

export interface Classification {
  readonly index: number;
  /** From the model's labels; null where it has none. */
  readonly label: string | null;
  /** Of logits the softmax, else the output's own value: a probability, or a sigmoid that stands for itself. */
  readonly score: number;
}

export interface PictureOptions {
  /** How a picture becomes the input tensor, by name or by what is not as in the file's rule; default: that rule. */
  readonly image?: ImageOption | undefined;
  /** The part of the picture that is looked at, as `ImageRule.region`: a detection's box, for example. */
  readonly region?: ImageRule['region'] | undefined;
  /**
   * `browser`: before it is copied to the GPU, a picture or frame is shrunk by the browser's own filter, so that less is
   * copied. Sooner done where the GPU is software; pixels differ from the rule's by some of 255 levels. Default: `rule`, but
   * in `stream` `browser` where a software adapter or the CPU's engine runs.
   */
  readonly resize?: 'browser' | 'rule' | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ClassifyOptions extends PictureOptions {
  /** Number of classes, default 5. */
  readonly top?: number | undefined;
  /** Classes of a lower score are left out; default: none are. */
  readonly minScore?: number | undefined;
  /** The only classes that count, by label or index; their scores are what they are among all. */
  readonly allow?: readonly (string | number)[] | undefined;
  /** Classes that do not count, by label or index. */
  readonly deny?: readonly (string | number)[] | undefined;
}

export interface Embedding {
  readonly top: readonly Classification[];
  /** The elements of the output "embedding", row-major NHWC. */
  readonly embedding: Float32Array;
}

/** For what goes through a network layer by layer. */
export interface LayerOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onLayer?: ((done: number, total: number) => void) | undefined;
}

export interface ModelOptions {
  readonly plan?: PlanOption | undefined;
  /** `background` (default): `tune` runs by itself after the first result. */
  readonly tuning?: 'background' | 'off' | undefined;
  /** `off` unless given. */
  readonly selfCheck?: SelfCheck | undefined;
  /** Where `tune` remembers unless it is told otherwise: IndexedDB unless given; null: nowhere. */
  readonly tuningCache?: TuningCache | null | undefined;
  /** How tensors and weights are stored on the GPU. */
  readonly precision?: Storage | undefined;
  /** What kernels compute in where they can; float32 unless given. */
  readonly arithmetic?: KernelPreferences['arithmetic'];
  readonly signal?: AbortSignal | undefined;
  readonly onCompiled?: ((done: number, total: number) => void) | undefined;
  /** Where weights of the graph are still on their way. */
  readonly arriving?: ArrivingWeights | null | undefined;
  /** Whether the CPU's own engine runs in place of the GPU. */
  readonly cpu?: DeviceChoice | null | undefined;
  /** What reads the graph again: where a GPU runs it, the CPU keeps no weights. */
  readonly again?: Again | false | undefined;
}

/** What a stream may ask of each frame: the options, and the result, of the method of that name. */
export interface StreamTasks {
  classify: [ClassifyOptions, Classification[]];
  embed: [ClassifyOptions, Embedding];
  detect: [DetectOptions, DetectedBox[]];
  pose: [PoseOptions, PosedPerson[]];
  segment: [SegmentOptions, Segmentation];
}

export type StreamOptions<K extends keyof StreamTasks> = StreamTiming & StreamTasks[K][0] & { readonly task?: K };

/** A network that is ready to run: on the GPU, on the CPU by an engine for it, or on the CPU reference. */
export class Model {
  /** The network as it was loaded; without its weights where they are not kept. */
  readonly graph: Graph;
  #prepared: Graph;
  /** The same with its weights. */
  #whole = async (): Promise<Graph> => this.graph;
  readonly planKind: PlanKind;
  readonly #precision: Storage;
  /** Null on the CPU. */
  #gpu: TunedExecutor | null;
  /** Null on the GPU and on the reference. */
  #cpu: CpuExecutor | null;
  #reason: string;
  /** To be made after the first result. */
  #choice: DeviceChoice | null = null;
  /** While it is being made, and the tuning after it. */
  #choosing: Promise<TuningReport> | null = null;
  /** Once the runs on a GPU have ended that another device took over from. */
  #handedOver: Promise<void> | null = null;
  /** What a GPU would run, once somebody asks on the CPU. */
  #plan: Plan | null = null;
  /** For that plan; null on a GPU. */
  readonly #kernels: KernelRegistry | null;
  #tunesItself: boolean;
  readonly #tuningCache: TuningCache | null | undefined;
  readonly #disposal = new AbortController();

  private constructor(
    graph: Graph,
    prepared: Graph,
    gpu: TunedExecutor | null,
    kernels: KernelRegistry | null,
    { cpu, reason }: { readonly cpu: CpuExecutor | null; readonly reason: string },
    { plan = 'unfused', precision = 'float32', tuning = 'background', tuningCache }: ModelOptions,
  ) {
    this.graph = graph;
    this.#prepared = prepared;
    this.planKind = plan === 'fused' ? plan : 'unfused';
    this.#reason = reason;
    this.#gpu = gpu;
    this.#cpu = cpu;
    this.#kernels = kernels;
    this.#precision = precision;
    this.#tunesItself = gpu !== null && tuning !== 'off';
    this.#tuningCache = tuningCache;
  }

  /**
   * Prepares the graph for a GPU, or for the CPU where that is null (`reason` says why). The model takes the GPU over and
   * disposes of it.
   * @internal `load` calls it.
   */
  static async create(loaded: Graph, opened: Gpu | null, reason: string, options: ModelOptions = {}): Promise<Model> {
    const { plan: wanted = 'unfused', precision = 'float32', arithmetic, signal, onCompiled, arriving } = options;
    const { cpu: choice, selfCheck, again } = options;
    const graph = withMeanings(loaded);
    let gpu = opened;
    // The workgroups of whole blocks are larger than some devices have them.
    const small = gpu !== null && gpu.device.limits.maxComputeInvocationsPerWorkgroup < MOST_INVOCATIONS;
    const plan = wanted === 'fused' && small ? 'unfused' : wanted;
    let onCpu: { readonly cpu: CpuExecutor | null; readonly reason: string } = {
      cpu: null,
      reason: (gpu && choice?.reason) || reason,
    };
    try {
      if (choice && (!gpu || choice.remembered?.device === 'wasm')) {
        await arriving?.all;
        onCpu = await choice.first(await prepareFor(graph, 'unfused'), gpu ? null : reason);
        if (onCpu.cpu) {
          gpu?.dispose();
          gpu = null;
        }
      }
      // Fusing squeeze-and-excitation scales weights, and the reference reads all of them: they must be there before.
      const readsWeights = !gpu || (plan === 'fused' && graph.nodes.some(({ op }) => op === 'multiply'));
      if (readsWeights) await arriving?.all;
      const prepared = await prepareFor(graph, plan === 'fused' ? plan : 'unfused');
      const starting = { arithmetic, fuses: plan === 'auto', signal, onCompiled };
      const running = gpu && (await TunedExecutor.create(gpu, prepared, precision, starting, arriving, selfCheck));
      const kernels = gpu ? null : await kernelsFor(prepared);
      const model = new Model(graph, prepared, running, kernels, onCpu, { ...options, plan });
      if (running && again) {
        await arriving?.all;
        model.#whole = (await import('./absent-weights.ts')).release(running, graph, again, model.planKind);
        model.#prepared = running.graph;
        (model as { graph: Graph }).graph = running.keep(graph);
      }
      if (choice && running && !choice.remembered) model.#choice = choice;
      return model;
    } catch (error) {
      gpu?.dispose();
      onCpu.cpu?.dispose();
      if (error instanceof InvalidResultError) return Model.create(loaded, null, error.message, options);
      throw error;
    }
  }

  /** How it runs, where, and what the self-check found: a block of text to paste where a fault is told of. */
  get report(): string {
    const { device, deviceReason, adapter, planKind, precision, assumptions } = this;
    const facts = {
      ...{ version, model: this.graph.name, device, deviceReason, adapter, planKind, precision, assumptions },
      kernels: [...new Set(this.#gpu?.current.plan.dispatches.map(({ kernel }) => kernel))],
      checks: this.#gpu?.found,
    };
    return JSON.stringify(facts, null, 1);
  }

  /** After the passes: what the plan runs, with the blocks that tuning has fused. */
  get prepared(): Graph {
    return this.#gpu?.prepared ?? this.#prepared;
  }

  /** What the GPU runs; on the CPU what it would. Throws `GraphError` where no GPU could. */
  get plan(): Plan {
    if (this.#gpu) return this.#gpu.current.plan;
    this.#plan ??= createPlan(this.prepared, this.#kernels!, { precision: this.#precision });
    return this.#plan;
  }

  /** What runs now: where it was chosen by `auto`, this may change once, soon after the first result (`tuned`). */
  get device(): 'webgpu' | 'wasm' | 'reference' {
    return this.#gpu ? 'webgpu' : this.#cpu ? 'wasm' : 'reference';
  }

  /** Why `device` is what it is; empty where WebGPU was asked for or found, and no CPU engine is beside it. */
  get deviceReason(): string {
    return this.#reason;
  }

  /** What the network computes in, and how it is stored where that is another way. */
  get precision(): 'float32' | 'float16' | 'float16-storage' | 'int8' {
    if (this.#cpu?.integers || onIntegers(this.graph)) return 'int8';
    if (!this.#gpu || this.#precision === 'float32') return 'float32';
    return this.#gpu.preferences.arithmetic ?? 'float16-storage';
  }

  /** What the browser tells of the adapter; null on the CPU. */
  get adapter(): AdapterDescription | null {
    return this.#gpu?.gpu.adapter ?? null;
  }

  /** What runs it, as long as it is there: buffers for `run` and textures are of it. Null on the CPU, and of a worker. */
  get gpuDevice(): NonNullable<LoadOptions['gpuDevice']> | null {
    return this.#gpu?.gpu.device ?? null;
  }

  /** What `run` expects: dense float32 of this shape, in the layout NHWC unless `run` is told otherwise. */
  get inputs(): readonly ModelInput[] {
    return this.graph.inputs.map(({ name, shape }) => ({ name, shape, layout: 'nhwc' }));
  }

  /** What `run` gives. */
  get outputs(): readonly ModelOutput[] {
    const shapes = outputShapes(this.graph);
    return this.graph.outputs.map((output) => ({ ...output, shape: shapes.get(output.name)!, layout: 'nhwc' }));
  }

  /**
   * Once the GPU device that runs it now is lost, why; never on the CPU. The next call goes on with another device, unless
   * the caller brought this one: load the model again then.
   */
  get lost(): Promise<DeviceLoss> {
    const lost = this.#gpu?.gpu.device.lost;
    return lost ? lost.then(({ reason, message }) => ({ reason, message })) : new Promise(() => {});
  }

  /** What the file does not say and was assumed, a sentence each: see to it that they hold. */
  get assumptions(): readonly string[] {
    return this.graph.assumptions ?? [];
  }

  get labels(): readonly string[] | undefined {
    return this.graph.labels;
  }

  /**
   * One inference on `device`. Calls that do not wait for one another keep the GPU busy: three are in flight at once,
   * further ones wait; results come in the order of the calls.
   * On a GPU arrays are copied at the call. A `GPUBuffer` in the place of an input, or to write an output to (`into`), is of
   * `gpuDevice`, which must run the model; it stays the caller's, who writes nothing into it until the promise settles, and
   * frees it then. A run of such is not done again on another device, and a model that has had one does not move to the CPU.
   * Throws `UsageError` where an input or a buffer does not fit, `DeviceError` where a buffer is given and there is no GPU,
   * `DeviceLostError` where the GPU went away and no other came.
   */
  async run(inputs: Inputs | BufferInputs, options: RunOptions = {}): Promise<Outputs> {
    this.#check();
    const { signal, into, layout = 'nhwc' } = options;
    if (layout !== 'nhwc' && layout !== 'nchw') throw new UsageError(`layout is "${layout}", expected nhwc or nchw`);
    let outputs: Outputs;
    if (into || !areArrays(inputs)) outputs = await this.#runBuffers(inputs, options);
    else {
      const values = layout === 'nhwc' ? inputs : fromChannelsFirst(this.#named(inputs), this.inputs);
      outputs = await (this.#gpu ? this.#gpu.run(values, { signal }) : this.#runOnCpu(values, { signal }));
      if (layout === 'nchw') outputs = toChannelsFirst(outputs, this.outputs);
    }
    this.#tuneAfterFirst();
    return outputs;
  }

  /** In its place among the calls, though what checks and runs it is fetched for the first. */
  async #runBuffers(inputs: Inputs | BufferInputs, options: RunOptions): Promise<Outputs> {
    const own = copied(inputs);
    const asked = { ...options, into: options.into && (copied(options.into) as typeof options.into) };
    const work = async (executor?: Executor, placed?: boolean) => {
      buffers ??= await import('./buffers.ts');
      return buffers.runBuffers(this, own, asked, executor, placed);
    };
    if (!this.#gpu) return work();
    this.#choice = null;
    const { signal } = options;
    const run = (executor: Executor) =>
      buffers ? work(executor) : executor.exclusive(() => work(executor, true), { signal, need: 'setup' });
    return this.#gpu.inOrder(run, signal, false);
  }

  /**
   * One inference of a picture, which becomes the only input as `image` says; on a GPU, there. Outputs as of `run`. Throws
   * `UsageError` where there is no rule, or where it or the picture does not fit.
   */
  async runPicture(picture: PictureSource, options: PictureOptions = {}): Promise<Outputs> {
    return (await this.#see(picture, options, null)).outputs;
  }

  async #runOnCpu(inputs: Inputs, options: { readonly signal?: AbortSignal | undefined }): Promise<Outputs> {
    const cpu = this.#cpu;
    if (!cpu) return this.runReference(inputs, options);
    options.signal?.throwIfAborted();
    const values = checkInputs(inputs, this.graph.inputs);
    // Results come in the order of the calls.
    await this.#handedOver;
    this.#check();
    return cpu.run(values);
  }

  /** One inference of the graph as loaded on the CPU reference: a validator in plain loops, not a fast CPU. */
  async runReference(inputs: Inputs, options: LayerOptions = {}): Promise<Outputs> {
    this.#check();
    const { valuesOf } = await import('./reference/index.ts');
    return valuesOf(await this.#whole(), this.#named(inputs), options);
  }

  /**
   * The model as one file (safetensors): the network after the passes, its weights, labels and image rule. `load` opens
   * it without loader and passes, and later engines open it too. `weights: 'float16'` rounds those of layers to halves: half
   * the file; `int8` to bytes: a quarter, and so they stay on the GPU where it is opened. A model on such, or on
   * integers, is saved as such; on integers `weights` is a `UsageError`.
   */
  async save(options: SaveOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return (await import('./save-model.ts')).saveModel(await this.#whole(), options);
  }

  /** Costs, plan and memory in numbers; with the kernels that the model runs on now. */
  async inspect(): Promise<Inspection> {
    const { inspectAs } = await import('./inspect.ts');
    const inspected = (graph: Graph) =>
      inspectAs(graph, this.#gpu?.precision ?? this.#precision, this.#gpu?.preferences ?? noPreferences);
    // Some passes read weights.
    return inspected(this.graph).catch(async () => inspected(await this.#whole()));
  }

  /** The time of each dispatch on the GPU. Throws `DeviceError` on the CPU. */
  async profile(inputs: Inputs = seededInputs(this.graph), options: ProfileOptions = {}): Promise<Profile> {
    const gpu = this.#gpuTo('profile');
    const { profile } = await import('./scheduler/profile.ts');
    return gpu.hold((executor) => profile(executor, inputs, options));
  }

  /** Every layer and the outputs against the CPU reference. Throws `DeviceError` on the CPU. */
  async validate(
    inputs: Inputs = seededInputs(this.graph),
    options: LayerOptions & { readonly plan?: PlanKind | undefined } = {},
  ): Promise<ValidationReport> {
    const tuned = this.#gpuTo('validate');
    const { validateModel } = await import('./validate-model.ts');
    return validateModel(tuned, await this.#whole(), this.#named(inputs), this.planKind, options);
  }

  /**
   * The best classes of a picture, or of each of an array of them, by the only output beside an "embedding"; of equal
   * scores, the class of the lower index first. Up to 64 of them are ranked on the GPU, and nothing else is read back.
   * `image` says how pixels become the input tensor; it may be left out where the file carries the rule. Throws
   * `UsageError` where the output holds no scores of classes, `PictureError`, and `InvalidResultError` where a score is NaN.
   */
  classify(picture: PictureSource, options?: ClassifyOptions): Promise<Classification[]>;
  classify(pictures: readonly PictureSource[], options?: ClassifyOptions): Promise<Classification[][]>;
  classify(pictures: PictureSource | readonly PictureSource[], options: ClassifyOptions = {}) {
    const { top = 5 } = options;
    return each(pictures, async (picture) => {
      if (!(top >= 1))
        throw new UsageError(`top is ${top}, expected how many of the best classes are wanted, 1 or more`);
      return (await this.#classify(picture, options)).top;
    });
  }

  /**
   * The features that the last layer of a classifier reads, and the classes that it makes of them, in one inference of
   * a model that was loaded with `embedding: true`; of each of an array of pictures. `top` may be 0.
   */
  embed(picture: PictureSource, options?: ClassifyOptions): Promise<Embedding>;
  embed(pictures: readonly PictureSource[], options?: ClassifyOptions): Promise<Embedding[]>;
  embed(pictures: PictureSource | readonly PictureSource[], options: ClassifyOptions = {}) {
    return each<Embedding>(pictures, async (picture) => {
      if (this.graph.outputs.length === 1 || !this.graph.outputs.some(({ name }) => name === 'embedding')) {
        throw new UsageError(
          `${this.graph.name} has no further output "embedding": load it with the option "embedding"`,
        );
      }
      const { top, outputs } = await this.#classify(picture, options);
      return { top, embedding: outputs.embedding! };
    });
  }

  /** Objects in pictures: `detect` of `mobilenet-webgpu/tasks`, fetched when it is called; throws as that does. */
  detect(picture: PictureSource, options?: DetectOptions): Promise<DetectedBox[]>;
  detect(pictures: readonly PictureSource[], options?: DetectOptions): Promise<DetectedBox[][]>;
  detect(pictures: PictureSource | readonly PictureSource[], options: DetectOptions = {}) {
    return each(pictures, async (picture) => (await import('./tasks/detect.ts')).detect(this, picture, options));
  }

  /** People in pictures: `pose` of `mobilenet-webgpu/tasks`, fetched when it is called; throws as that does. */
  pose(picture: PictureSource, options?: PoseOptions): Promise<PosedPerson[]>;
  pose(pictures: readonly PictureSource[], options?: PoseOptions): Promise<PosedPerson[][]>;
  pose(pictures: PictureSource | readonly PictureSource[], options: PoseOptions = {}) {
    return each(pictures, async (picture) => (await import('./tasks/pose.ts')).pose(this, picture, options));
  }

  /** What each pixel shows: `segment` of `mobilenet-webgpu/tasks`, fetched when it is called; throws as that does. */
  segment(picture: PictureSource, options?: SegmentOptions): Promise<Segmentation>;
  segment(pictures: readonly PictureSource[], options?: SegmentOptions): Promise<Segmentation[]>;
  segment(pictures: PictureSource | readonly PictureSource[], options: SegmentOptions = {}) {
    return each(pictures, async (picture) => (await import('./tasks/segment.ts')).segment(this, picture, options));
  }

  /**
   * What a playing video shows, the newest frame first: a result for as many frames as the model keeps up with, until the
   * video ends. `task` says what is asked of a frame, with the options of the method of that name; default: its best
   * classes. Throws as that method does, or the signal's reason; a `for await` may break off. It rests while the video is
   * paused or the page is hidden, and goes on after the page was in the back/forward cache.
   */
  async *stream<K extends keyof StreamTasks = 'classify'>(
    video: HTMLVideoElement,
    options: StreamOptions<K> = {} as StreamOptions<K>,
  ): AsyncGenerator<StreamResult<StreamTasks[K][1]>, void, undefined> {
    yield* (await import('./stream.ts')).streamOf(this, video, options);
  }

  async #classify(
    picture: PictureSource,
    { top = 5, minScore, allow, deny, ...options }: ClassifyOptions,
  ): Promise<{ top: Classification[]; outputs: Outputs }> {
    const [output, ...others] = this.graph.outputs.filter(
      ({ name }, _, all) => all.length === 1 || name !== 'embedding',
    );
    if (this.graph.inputs.length !== 1 || others.length > 0 || !output) {
      throw new UsageError(
        `${this.graph.name} has ${this.graph.inputs.length} inputs and ${this.graph.outputs.length} outputs, not one of each`,
      );
    }
    if (!(top >= 0)) throw new UsageError(`top is ${top}, expected how many of the best classes are wanted, 0 or more`);
    if (output.meaning === 'features') {
      throw new UsageError(
        `output "${output.name}" of ${this.graph.name} holds features, not scores of classes: use run`,
      );
    }
    const logits = output.meaning === 'logits';
    const chosen = allow || deny ? (await import('./choose-classes.ts')).chooser(this.graph, { allow, deny }) : null;
    const ranking = chosen ? null : { output: output.name, logits, count: top };
    const { outputs, ranked } = await this.#see(picture, options, ranking);
    const best = ranked ?? bestClasses(outputs[output.name]!, logits, chosen ? Number.POSITIVE_INFINITY : top);
    if (best.some(({ score }) => Number.isNaN(score))) {
      throw new InvalidResultError(
        `${this.graph.name}: scores of output "${output.name}" are NaN: validate() tells where they come from, mostly from ` +
          "another picture rule than the file's",
      );
    }
    const kept = (chosen ? best.filter(({ index }) => chosen(index)) : best).slice(0, top);
    const labelled = kept
      .filter(({ score }) => !(score < minScore!))
      .map(({ index, score }) => ({ index, label: this.labels?.[index] ?? null, score }));
    return { top: labelled, outputs };
  }

  async #see(source: PictureSource, options: PictureOptions, ranking: Ranking | null): Promise<RankedOutputs> {
    this.#check();
    const { signal, resize } = options;
    const [, height, width, channels] = this.graph.inputs[0]!.shape;
    // Bytes with a rule that is whole are uploaded before anything is waited for.
    const asked = ruleAsItIs(options, this.graph.image) ?? (await this.#rule(options, channels));
    const { picture, rule } =
      isBytes(source) && (!resize || resize === 'browser')
        ? { picture: source, rule: asked }
        : await (await import('./open-source.ts')).openSource(source, asked, [height, width], resize, this.gpuDevice);
    try {
      this.#check();
      signal?.throwIfAborted();
      const tensor = () => tensorOf(picture, rule, [height, width], channels);
      const gpu = this.#gpu;
      let seen: RankedOutputs;
      if (gpu) {
        const running = gpu.runPicture(picture, rule, ranking, { signal });
        const checking = gpu.picturesAreRight(rule, ranking?.logits ?? null);
        checking.catch(() => {});
        seen = await running;
        if (!(await checking)) seen = { outputs: await gpu.run(await tensor(), { signal }), ranked: null };
      } else seen = { outputs: await this.#runOnCpu(await tensor(), { signal }), ranked: null };
      this.#tuneAfterFirst();
      return seen;
    } catch (error) {
      if (isBytes(picture) || !(error instanceof DOMException)) throw error;
      throw (await import('./images/picture-failure.ts')).pictureFailure(picture, error);
    } finally {
      // What was open before is closed by whoever opened it.
      if (picture !== source && 'close' in picture) picture.close();
    }
  }

  async #rule({ image, region }: PictureOptions, channels: number): Promise<ImageRule> {
    const { resolveImage } = await import('./images/image-option.ts');
    const rule = await resolveImage(image, this.graph.image, channels, this.graph.name);
    return region ? { ...rule, region } : rule;
  }

  /**
   * Moves to the kernels that are fastest on this adapter: those shipped for its kind, then, within the budget, those
   * measured on each distinct layer. Runs go on meanwhile, on the kernels so far; results differ by rounding only, and
   * are compared before a plan is taken up. Runs by itself after the first result unless `tuning` is `off`. Calls are
   * taken one after another. Throws `DeviceError` on the CPU, `DeviceLostError`, the signal's reason.
   */
  async tune(options: TuneOptions = {}): Promise<TuningReport> {
    const gpu = this.#gpuTo('tune for');
    this.#tunesItself = false;
    const { cache = this.#tuningCache } = options;
    return gpu.tune({ ...options, cache }, this.#disposal.signal);
  }

  /**
   * The tuning that runs or ran last, and the choice of the device before it: then the model is as fast as it gets. Null
   * before the first result. On the CPU it ends with a report of no layers.
   */
  get tuned(): Promise<TuningReport> | null {
    return this.#choosing ?? this.#gpu?.tuned ?? null;
  }

  #tuneAfterFirst(): void {
    const choice = this.#choice;
    this.#choice = null;
    // What fails is told to whoever asks for `tuned`.
    if (choice) {
      this.#choosing = this.#choose(choice);
      this.#choosing.catch(() => {});
    } else if (this.#tunesItself && !this.#choosing) this.tune().catch(() => {});
  }

  /** Measures the CPU's engine beside the GPU, and moves there where it is faster. */
  async #choose(choice: DeviceChoice): Promise<TuningReport> {
    const gpu = this.#gpu!;
    const graph = await prepareFor(this.graph, 'unfused');
    const tune = this.#tunesItself ? () => this.tune() : null;
    return choice.settle({ graph, gpu, tune, signal: this.#disposal.signal }, (cpu, reason) => {
      this.#reason = reason;
      if (!cpu) return;
      this.#handedOver = gpu.retire();
      this.#cpu = cpu;
      this.#gpu = null;
    });
  }

  /** Frees the memory of the GPU and of the CPU's engine. The model cannot be used afterwards. */
  dispose(): void {
    this.#disposal.abort(new UsageError(`${this.graph.name} was disposed of`));
    this.#gpu?.dispose();
    this.#cpu?.dispose();
  }

  /** `dispose`, for `using`; after the runs under way, for `await using`. Not there where the browser has no such symbols. */
  declare readonly [Symbol.dispose]: () => void;
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;

  static {
    const value = async function (this: Model): Promise<void> {
      await this.#gpu?.current.idle().catch(() => {});
      this.dispose();
    };
    if (Symbol.dispose) Object.defineProperty(Model.prototype, Symbol.dispose, { value: Model.prototype.dispose });
    if (Symbol.asyncDispose) Object.defineProperty(Model.prototype, Symbol.asyncDispose, { value });
  }

  #named(inputs: Inputs): Record<string, Float32Array> {
    const values = checkInputs(inputs, this.graph.inputs);
    return Object.fromEntries(this.graph.inputs.map(({ name }, i) => [name, values[i]!]));
  }

  #gpuTo(purpose: string): TunedExecutor {
    this.#check();
    if (!this.#gpu) throw new DeviceError(`there is no GPU to ${purpose} (${this.deviceReason})`);
    return this.#gpu;
  }

  #check(): void {
    this.#disposal.signal.throwIfAborted();
  }
}

/** The shapes of a model's outputs, by output name. */
export function outputShapes(graph: Graph) {
  const shapes = inferShapes(graph);
  return new Map(graph.outputs.map(({ name, tensor }) => [name, shapes.get(tensor)!]));
}

/** A rule that needs no working out: the file's, or one that says everything. */
function ruleAsItIs({ image, region }: PictureOptions, own: ImageRule | undefined): ImageRule | null {
  if (region || typeof image === 'string') return null;
  if (!image) return own ?? null;
  return Object.keys(plainImage).every((key) => key in image) && !('mean' in image || 'std' in image)
    ? (image as ImageRule)
    : null;
}

/** What runs buffers, once it is there. */
let buffers: typeof import('./buffers.ts') | null = null;

/** The same, whatever the caller writes into arrays and lists while a run waits. */
function copied(inputs: Inputs | BufferInputs): Inputs | BufferInputs {
  if (inputs instanceof Float32Array) return inputs.slice();
  if ('mapAsync' in Object(inputs)) return inputs;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, one]) => [name, one instanceof Float32Array ? one.slice() : one]),
  );
}

/** A buffer has no fields of its own. */
const areArrays = (inputs: Inputs | BufferInputs): inputs is Inputs =>
  inputs instanceof Float32Array ||
  (Object.keys(inputs).length > 0 && Object.values(inputs).every((one) => one instanceof Float32Array));

const isBytes = (source: PictureSource | OpenPicture): source is Picture =>
  typeof source === 'object' && source !== null && 'data' in source;

/** On the CPU. */
async function tensorOf(picture: OpenPicture, ...rule: [ImageRule, Pair, number]): Promise<Float32Array> {
  const pixels = isBytes(picture) ? picture : await (await import('./images/read-pixels.ts')).readPixels(picture);
  return (await import('./images/image-to-tensor.ts')).imageToTensor(pixels, ...rule);
}

/** The result of a picture, or those of an array of them in its order. The first that fails ends it, and is told. */
async function each<T>(
  pictures: PictureSource | readonly PictureSource[],
  look: (picture: PictureSource) => Promise<T>,
): Promise<T | T[]> {
  if (!Array.isArray(pictures)) return look(pictures as PictureSource);
  return (await import('./in-turn.ts')).inTurn(pictures, look);
}
