import { guarded } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { DeviceError, UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import type { Picture } from '../images/image-to-tensor.ts';
import { imageProgram } from '../kernels/image-to-tensor.ts';
import type { Program } from '../kernels/kernel.ts';
import type { Placement } from '../planner/plan.ts';
import { shaderCode } from '../wgsl/shader-code.ts';
import { packUniform } from '../wgsl/uniform.ts';

/**
 * Puts a picture's pixels on the GPU and encodes the dispatch that makes the input tensor of them. Pipeline and buffers
 * are kept: a picture of the same rule as the one before, and no larger, makes no GPU object.
 */
export class PictureStage {
  readonly #gpu: Gpu;
  readonly #arena: GPUBuffer;
  readonly #placement: Placement;
  #disposed = false;
  #ready: { key: string; pipeline: GPUComputePipeline } | null = null;
  #pixels: GPUBuffer | null = null;
  #uniform: GPUBuffer | null = null;
  #bindGroup: GPUBindGroup | null = null;

  /** `arena` is the buffer that holds the input tensor at `placement`. */
  constructor(gpu: Gpu, arena: GPUBuffer, placement: Placement) {
    this.#gpu = gpu;
    this.#arena = arena;
    this.#placement = placement;
  }

  /** Whether a picture of this size and rule can be uploaded at once. Throws `UsageError` where the rule does not fit. */
  fits(picture: Picture, rule: ImageRule): boolean {
    const { constants } = this.#program(picture, rule);
    const compiled = this.#ready?.key === JSON.stringify(constants) && this.#bindGroup !== null;
    return compiled && this.#pixels !== null && this.#pixels.size >= picture.data.byteLength;
  }

  /** Makes what such pictures need. Throws `UsageError`, `OutOfMemoryError`, `DeviceError`. */
  async prepare(picture: Picture, rule: ImageRule): Promise<void> {
    const { device } = this.#gpu;
    const program = this.#program(picture, rule);
    const pipeline = await this.#pipeline(program);
    this.#checkUse();
    const { data } = picture;
    if (data.byteLength > device.limits.maxStorageBufferBindingSize) {
      throw new DeviceError(
        `a picture of ${picture.width} × ${picture.height} pixels is too large for this GPU; shrink it`,
      );
    }
    if (!this.#pixels || this.#pixels.size < data.byteLength || !this.#uniform) await this.#allocate(data.byteLength);
    this.#checkUse();
    this.#bindGroup ??= this.#bind(pipeline, 4 * packUniform(program.file, program.source, program.shape).length);
  }

  /** Uploads a picture that `fits`, for the submit that follows; the returned function encodes the dispatch. */
  upload(picture: Picture, rule: ImageRule): (pass: GPUComputePassEncoder) => void {
    const { queue } = this.#gpu.device;
    const { file, source, shape, workgroups } = this.#program(picture, rule);
    queue.writeBuffer(this.#pixels!, 0, picture.data as Uint8Array<ArrayBuffer>);
    queue.writeBuffer(this.#uniform!, 0, new Uint32Array(packUniform(file, source, shape)));
    const { pipeline } = this.#ready!;
    const bindGroup = this.#bindGroup!;
    return (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...workgroups);
    };
  }

  #program({ height, width }: Picture, rule: ImageRule): Program {
    const { shape, dense = false } = this.#placement;
    return imageProgram([height, width], rule, shape, dense);
  }

  async #pipeline(program: Program): Promise<GPUComputePipeline> {
    const key = JSON.stringify(program.constants);
    if (this.#ready?.key !== key) {
      const { precision } = this.#placement;
      const code = shaderCode(program.file, program.source, {
        ...program.constants,
        F16: precision === 'float16',
        F16_PACKED: precision === 'float16-packed',
        HALF_SRC: false,
        HALF_SIDE: false,
        HALF_WEIGHT: false,
        HALF_DST: precision !== 'float32',
        SUBGROUPS: false,
      });
      const [pipeline] = await compilePipelines(this.#gpu.device, [
        { label: program.file, code, overrides: program.overrides, bindings: ['uniform', 'read', 'write'] },
      ]);
      this.#ready = { key, pipeline: pipeline! };
      this.#bindGroup = null;
    }
    return this.#ready.pipeline;
  }

  async #allocate(bytes: number): Promise<void> {
    this.#free();
    const making = guarded(this.#gpu.device, 'a buffer for the picture', () => {
      this.#pixels = this.#gpu.device.createBuffer({
        label: 'pixels',
        size: Math.max(16, Math.ceil(bytes / 16) * 16),
        usage: 0x0080 /* STORAGE */ | 0x0008 /* COPY_DST */,
      });
      this.#uniform = this.#gpu.device.createBuffer({
        label: 'picture',
        size: 256,
        usage: 0x0040 /* UNIFORM */ | 0x0008 /* COPY_DST */,
      });
    });
    await making.catch((error) => {
      this.#free();
      throw error;
    });
  }

  #bind(pipeline: GPUComputePipeline, uniformBytes: number): GPUBindGroup {
    const { offset, bytes } = this.#placement;
    return this.#gpu.device.createBindGroup({
      label: 'picture',
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: this.#uniform!, size: 16 * Math.ceil(uniformBytes / 16) } },
        { binding: 1, resource: { buffer: this.#pixels! } },
        { binding: 2, resource: { buffer: this.#arena, offset, size: bytes } },
      ],
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
    this.#bindGroup = null;
  }
}
