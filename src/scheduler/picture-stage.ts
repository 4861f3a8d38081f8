import { bufferUsage, createBuffer, guarded } from '../device/buffers.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { DeviceError, UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import type { GpuPicture, OpenPicture } from '../images/picture-source.ts';
import { leavesPixels, resamplePlan } from '../images/resample.ts';
import { pixelFields, readingPixels, stemShader } from '../kernels/conv-stem.ts';
import { imageProgram } from '../kernels/image-to-tensor.ts';
import { QUANTISE_FILE } from '../kernels/kernel.ts';
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

/** What is put before a shader whose real numbers are stored as integers; fetched where a plan begins so. */
interface Quantising {
  readonly before: Parameters<typeof shaderCode>[4];
  readonly names: Readonly<Record<string, boolean>>;
}

/** Pixels from one row to the next in a buffer that a texture is copied into: 256 bytes, or a multiple. */
const pitchOf = (width: number): number => 64 * Math.ceil(width / 64);

/** A pipeline, and its bind group where the pixels come in what is the stage's own. */
interface Ready {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup | null;
}

/**
 * Puts a picture's pixels on the GPU and encodes the dispatch that makes the input tensor of them, or, where the rule only
 * scales, the plan's first convolution that reads them as they are; or the first tensor of stored integers, where a plan begins by
 * making these of the input. Pipelines, buffers and the texture that pictures of a
 * page are copied into are kept: a picture of a rule and a kind like one before, and no larger, makes no GPU object, but
 * for a bind group where it is read from a texture of the caller's or from a frame of video.
 */
export class PictureStage {
  readonly #resources: PlanResources;
  readonly #input: Placement;
  /** The plan's first dispatch, where it can read pixels. */
  readonly #stem: Dispatch | null;
  /** The plan's first dispatch, where it makes stored integers of the input, which nothing else reads. */
  readonly #quantise: Dispatch | null;
  #quantising: Quantising | null = null;
  readonly #ready = new Map<string, Ready>();
  #pixels: GPUBuffer | null = null;
  #texture: GPUTexture | null = null;
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
    const alone =
      plan.dispatches.slice(1).every((other) => !other.reads.includes(input)) &&
      !plan.outputs.some(({ tensor }) => tensor === input);
    const quantises = first?.reads[0] === input && plan.pipelines[first.pipeline]!.label === QUANTISE_FILE;
    this.#quantise = first && quantises && alone ? first : null;
  }

  /** Whether a picture of this size and rule can be uploaded at once. Throws `UsageError` where the rule does not fit. */
  fits(picture: OpenPicture, rule: ImageRule): boolean {
    const { key } = this.#intake(picture, rule);
    return this.#ready.has(key) && this.#holds(picture);
  }

  /** Makes what such pictures need. Throws `UsageError`, `OutOfMemoryError`, `DeviceError`. */
  async prepare(picture: OpenPicture, rule: ImageRule): Promise<void> {
    const { device } = this.#resources.gpu;
    if (this.#quantise && !this.#quantising) {
      const [{ int8Prelude }, { quantising }] = await Promise.all([
        import('../kernels/int8.ts'),
        import('../kernels/int8-quantise.ts'),
      ]);
      this.#quantising = { before: int8Prelude, names: { ...quantising, SUBGROUPS: false } };
    }
    const intake = this.#intake(picture, rule);
    const [pipeline] = await compilePipelines(device, [intake.pipeline()]);
    this.#checkUse();
    if (!this.#holds(picture)) await this.#allocate(picture);
    this.#checkUse();
    const inBuffer = 'data' in picture || this.#isStaged(picture);
    const own = inBuffer ? { buffer: this.#pixels! } : picture.way === 'copy' ? this.#texture!.createView() : null;
    this.#ready.set(intake.key, { pipeline: pipeline!, bindGroup: own && this.#bind(pipeline!, own, intake) });
  }

  /**
   * Uploads a picture that `fits`, for the submit that follows; the returned function encodes the dispatch and says how
   * many of the plan's first dispatches are not to follow it. Throws what the browser does where a page may not read it.
   */
  upload(picture: OpenPicture, rule: ImageRule): (pass: GPUComputePassEncoder) => number {
    const { device } = this.#resources.gpu;
    const intake = this.#intake(picture, rule);
    const { key, uniform, workgroups, replaced } = intake;
    const pixels = this.#hand(picture);
    device.queue.writeBuffer(this.#uniform!, 0, new Uint32Array(uniform));
    const { pipeline, bindGroup } = this.#ready.get(key)!;
    const group = pixels ? this.#bind(pipeline, pixels, intake) : bindGroup;
    return (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
      return replaced;
    };
  }

  /** Copies the pixels to where they are read, or gives what they are read from. */
  #hand(picture: OpenPicture): GPUBindingResource | null {
    const { device } = this.#resources.gpu;
    if ('data' in picture) {
      device.queue.writeBuffer(this.#pixels!, 0, picture.data as Uint8Array<ArrayBuffer>);
      return null;
    }
    const { way, source, width, height } = picture;
    if (way === 'texture') return (source as GPUTexture).createView();
    if (way === 'external') return device.importExternalTexture({ source: source as VideoFrame });
    // As `getImageData` gives them: sRGB, alpha not multiplied in.
    const to = { texture: this.#texture!, premultipliedAlpha: false, colorSpace: 'srgb' } as const;
    device.queue.copyExternalImageToTexture({ source: source as ImageBitmap }, to, [width, height]);
    if (this.#isStaged(picture)) {
      const encoder = device.createCommandEncoder({ label: 'pixels' });
      const buffer = { buffer: this.#pixels!, bytesPerRow: 4 * pitchOf(width) };
      encoder.copyTextureToBuffer({ texture: this.#texture! }, buffer, [width, height]);
      device.queue.submit([encoder.finish()]);
    }
    return null;
  }

  /** Whether pixels are taken from the texture into a buffer first: software adapters read buffers in half the time, if they bind them. */
  #isStaged({ way, width, height }: GpuPicture): boolean {
    const { adapter, device } = this.#resources.gpu;
    const fits = 4 * height * pitchOf(width) <= device.limits.maxStorageBufferBindingSize;
    return way === 'copy' && width > 1 && adapter.software && fits;
  }

  #bind(pipeline: GPUComputePipeline, pixels: GPUBindingResource, { uniform, others }: Intake): GPUBindGroup {
    const resources: GPUBindingResource[] = [
      { buffer: this.#uniform!, size: 16 * Math.ceil(uniform.length / 4) },
      pixels,
      ...others.map((range) => this.#resources.resourceOf(range)),
    ];
    return this.#resources.gpu.device.createBindGroup({
      label: 'picture',
      layout: pipeline.getBindGroupLayout(0),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
  }

  #intake(picture: OpenPicture, rule: ImageRule): Intake {
    const { height, width } = picture;
    const { shape, dense = false, precision } = this.#input;
    const staged = 'way' in picture && this.#isStaged(picture);
    const form = 'data' in picture || staged ? 'buffer' : picture.form;
    const pitch = staged ? pitchOf(width) : width;
    const made = imageProgram([height, width], rule, shape, dense, form, pitch);
    const { file, source, constants, overrides, ...program } = made;
    const plain =
      form === 'buffer' && pitch === width && leavesPixels(resamplePlan([height, width], rule, [shape[1], shape[2]]));
    if (this.#stem && plain) return this.#straight(this.#stem, rule);
    return {
      // Textures of bytes are the stage's own or the caller's.
      key: JSON.stringify([constants, 'way' in picture && picture.way]),
      pipeline: () => {
        const names = this.#quantising?.names ?? preludeNames({ precision, dst: precision !== 'float32' });
        const code = shaderCode(file, source, { ...constants, ...names }, {}, this.#quantising?.before);
        const pixels = form === 'buffer' ? 'read' : form === 'external' ? form : 'texture';
        const steps = this.#quantise ? this.#resources.plan.pipelines[this.#quantise.pipeline]!.overrides : {};
        return {
          label: file,
          code,
          // Of the dispatch in whose place it stands, the step and the zero point.
          overrides: { ...steps, ...overrides },
          bindings: ['uniform', pixels, 'write'],
        };
      },
      uniform: packUniform(file, source, program.shape),
      others: [this.#quantise?.bindings.at(-1) ?? { kind: 'arena', ...this.#input }],
      workgroups: program.workgroups,
      replaced: this.#quantise ? 1 : 0,
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

  #holds(picture: OpenPicture): boolean {
    if (!this.#uniform) return false;
    if ('data' in picture) return this.#pixels !== null && this.#pixels.size >= picture.data.byteLength;
    const { way, width, height } = picture;
    if (way !== 'copy') return true;
    if (this.#isStaged(picture) && !(this.#pixels && this.#pixels.size >= 4 * height * pitchOf(width))) return false;
    return this.#texture !== null && this.#texture.width >= width && this.#texture.height >= height;
  }

  async #allocate(picture: OpenPicture): Promise<void> {
    const { device } = this.#resources.gpu;
    const { width, height } = picture;
    const isTexture = 'way' in picture;
    const staged = isTexture && this.#isStaged(picture) ? 4 * height * pitchOf(width) : 0;
    const bytes = isTexture ? staged : picture.data.byteLength;
    const { maxStorageBufferBindingSize, maxTextureDimension2D } = device.limits;
    if (bytes > maxStorageBufferBindingSize || (isTexture && Math.max(width, height) > maxTextureDimension2D)) {
      throw new DeviceError(
        `a picture of ${width} × ${height} pixels is too large for this GPU; shrink it: createImageBitmap(picture, { resizeWidth: 2048 })`,
      );
    }
    const [least, below] = [this.#texture?.width ?? 0, this.#texture?.height ?? 0];
    this.#ready.clear();
    const most = Math.max(bytes, this.#pixels?.size ?? 0);
    if (bytes) this.#pixels?.destroy();
    if (isTexture) this.#texture?.destroy();
    const { COPY_DST, STORAGE, UNIFORM } = bufferUsage;
    await guarded(device, 'a place for the picture', (keep) => {
      this.#uniform ??= keep(createBuffer(device, 'picture', 256, UNIFORM | COPY_DST));
      if (bytes) this.#pixels = keep(createBuffer(device, 'pixels', most, STORAGE | COPY_DST));
      if (isTexture) {
        this.#texture = keep(
          device.createTexture({
            label: 'pixels',
            size: [Math.max(width, least), Math.max(height, below)],
            format: 'rgba8unorm',
            usage: 0x17 /* COPY_SRC | COPY_DST | TEXTURE_BINDING | RENDER_ATTACHMENT, as browsers copy by drawing */,
          }),
        );
      }
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
    this.#texture?.destroy();
    this.#uniform?.destroy();
    this.#pixels = null;
    this.#texture = null;
    this.#uniform = null;
    this.#ready.clear();
  }
}
