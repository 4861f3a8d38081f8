import { bufferUsage, createBuffer, guarded } from '../device/buffers.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { DeviceError, UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import type { Picture } from '../images/image-to-tensor.ts';
import { leavesPixels, resamplePlan } from '../images/resample.ts';
import { pixelFields, readingPixels, stemShader } from '../kernels/conv-stem.ts';
import { imageProgram } from '../kernels/image-to-tensor.ts';
import type { BoundRange, Dispatch, PipelineSpec, Placement } from '../planner/plan.ts';
import { preludeNames, shaderCode } from '../wgsl/shader-code.ts';
import { packUniform, repackUniform } from '../wgsl/uniform.ts';
import type { PlanResources } from './plan-resources.ts';

/** The dispatch that takes a picture in. Its first bindings are its own uniform and the pixels. */
interface Intake {
  /** What tells its pipeline and bind group from others of this stage. */
  readonly key: string;
  readonly pipeline: () => PipelineSpec;
  readonly uniform: readonly number[];
  /** The bindings from the third on. */
  readonly others: readonly BoundRange[];
  readonly workgroups: readonly [number, number, number];
  /** How many of the plan's first dispatches it takes the place of. */
  readonly replaced: number;
}

/**
 * Puts a picture's pixels on the GPU and encodes the dispatch that makes the input tensor of them, or, where the rule only
 * scales, the plan's first convolution that reads them as they are. Pipelines and buffers are kept: a picture of a rule
 * like one before, and no larger, makes no GPU object.
 */
export class PictureStage {
  readonly #resources: PlanResources;
  readonly #input: Placement;
  /** The plan's first dispatch, where it can read pixels. */
  readonly #stem: Dispatch | null;
  readonly #ready = new Map<string, { readonly pipeline: GPUComputePipeline; readonly bindGroup: GPUBindGroup }>();
  #pixels: GPUBuffer | null = null;
  #uniform: GPUBuffer | null = null;
  #disposed = false;

  /** For the plan's only input. */
  constructor(resources: PlanResources, input: string) {
    const { plan } = resources;
    this.#resources = resources;
    this.#input = plan.tensors[input]!;
    const [first] = plan.dispatches;
    // An input that a stem reads dense is read by nothing else.
    const reads = first?.reads[0] === input && plan.pipelines[first.pipeline]!.label === stemShader.file;
    this.#stem = first && reads && this.#input.shape[3] === 3 ? first : null;
  }

  /** Whether a picture of this size and rule can be uploaded at once. Throws `UsageError` where the rule does not fit. */
  fits(picture: Picture, rule: ImageRule): boolean {
    const { key } = this.#intake(picture, rule);
    return this.#ready.has(key) && this.#holds(picture);
  }

  /** Makes what such pictures need. Throws `UsageError`, `OutOfMemoryError`, `DeviceError`. */
  async prepare(picture: Picture, rule: ImageRule): Promise<void> {
    const { device } = this.#resources.gpu;
    const { key, pipeline: spec, uniform, others } = this.#intake(picture, rule);
    const { byteLength } = picture.data;
    const [pipeline] = await compilePipelines(device, [spec()]);
    this.#checkUse();
    if (byteLength > device.limits.maxStorageBufferBindingSize) {
      throw new DeviceError(
        `a picture of ${picture.width} × ${picture.height} pixels is too large for this GPU; shrink it`,
      );
    }
    if (!this.#holds(picture)) await this.#allocate(byteLength);
    this.#checkUse();
    const resources = [
      { buffer: this.#uniform!, size: 16 * Math.ceil(uniform.length / 4) },
      { buffer: this.#pixels! },
      ...others.map((range) => this.#resources.resourceOf(range)),
    ];
    const bindGroup = device.createBindGroup({
      label: 'picture',
      layout: pipeline!.getBindGroupLayout(0),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    this.#ready.set(key, { pipeline: pipeline!, bindGroup });
  }

  /**
   * Uploads a picture that `fits`, for the submit that follows; the returned function encodes the dispatch and says how
   * many of the plan's first dispatches are not to follow it.
   */
  upload(picture: Picture, rule: ImageRule): (pass: GPUComputePassEncoder) => number {
    const { queue } = this.#resources.gpu.device;
    const { key, uniform, workgroups, replaced } = this.#intake(picture, rule);
    queue.writeBuffer(this.#pixels!, 0, picture.data as Uint8Array<ArrayBuffer>);
    queue.writeBuffer(this.#uniform!, 0, new Uint32Array(uniform));
    const { pipeline, bindGroup } = this.#ready.get(key)!;
    return (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
      return replaced;
    };
  }

  #intake({ height, width }: Picture, rule: ImageRule): Intake {
    const { shape, dense = false, precision } = this.#input;
    const { file, source, constants, overrides, ...program } = imageProgram([height, width], rule, shape, dense);
    if (this.#stem && leavesPixels(resamplePlan([height, width], rule, [shape[1], shape[2]]))) {
      return this.#straight(this.#stem, rule);
    }
    return {
      key: JSON.stringify(constants),
      pipeline: () => {
        const names = preludeNames({ precision, dst: precision !== 'float32' });
        const code = shaderCode(file, source, { ...constants, ...names });
        return { label: file, code, overrides, bindings: ['uniform', 'read', 'write'] };
      },
      uniform: packUniform(file, source, program.shape),
      others: [{ kind: 'arena', ...this.#input }],
      workgroups: program.workgroups,
      replaced: 0,
    };
  }

  /** The plan's own first dispatch, with the pixels in the place of the tensor. */
  #straight({ pipeline, bindings, workgroups }: Dispatch, rule: ImageRule): Intake {
    const { pipelines, uniforms } = this.#resources.plan;
    const [range, , ...others] = bindings as readonly (BoundRange & { offset: number; bytes: number })[];
    const words = uniforms.slice(range!.offset / 4, (range!.offset + range!.bytes) / 4);
    const spec = pipelines[pipeline]!;
    return {
      key: 'straight',
      pipeline: () => ({ ...spec, overrides: { ...spec.overrides, ...readingPixels } }),
      uniform: repackUniform(stemShader.file, stemShader.source, words, pixelFields(rule)),
      others,
      workgroups,
      replaced: 1,
    };
  }

  #holds({ data }: Picture): boolean {
    return this.#pixels !== null && this.#pixels.size >= data.byteLength;
  }

  async #allocate(bytes: number): Promise<void> {
    this.#free();
    const { device } = this.#resources.gpu;
    const { COPY_DST, STORAGE, UNIFORM } = bufferUsage;
    await guarded(device, 'a buffer for the picture', (keep) => {
      this.#pixels = keep(createBuffer(device, 'pixels', bytes, STORAGE | COPY_DST));
      this.#uniform = keep(createBuffer(device, 'picture', 256, UNIFORM | COPY_DST));
    }).catch((error) => {
      this.#free();
      throw error;
    });
  }

  /** Frees the buffers for good. */
  dispose(): void {
    this.#disposed = true;
    this.#free();
  }

  /** After a wait: what was made since then by a stage that was disposed of is freed. */
  #checkUse(): void {
    if (!this.#disposed) return;
    this.#free();
    throw new UsageError('the model was disposed of');
  }

  #free(): void {
    this.#pixels?.destroy();
    this.#uniform?.destroy();
    this.#pixels = null;
    this.#uniform = null;
    this.#ready.clear();
  }
}
