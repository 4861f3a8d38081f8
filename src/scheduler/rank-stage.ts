import { bufferUsage, createBuffer, guarded, type Keep } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { compilePipelines } from '../device/pipelines.ts';
import { canRank, RANKED_BYTES, rankProgram } from '../kernels/rank-classes.ts';
import { isHalf, type Placement } from '../planner/plan.ts';
import { preludeNames, shaderCode } from '../wgsl/shader-code.ts';
import { packUniform } from '../wgsl/uniform.ts';

/** A class and its probability. */
export interface Ranked {
  readonly index: number;
  readonly score: number;
}

/** The most classes that are ranked: a round each. Of more, all scores are read. */
const MOST_RANKED = 64;

/**
 * Ranks the class scores that a plan leaves in the arena, behind the plan's last dispatch, and leaves the best classes in
 * a buffer of its own. Everything is made once, for any count of classes.
 */
export class RankStage {
  readonly #device: GPUDevice;
  readonly #ranked: GPUBuffer;
  readonly #uniform: GPUBuffer;
  readonly #pipeline: GPUComputePipeline;
  readonly #bindGroup: GPUBindGroup;
  readonly #scores: Placement;
  readonly #logits: boolean;
  readonly #most: number;

  private constructor(
    device: GPUDevice,
    arena: GPUBuffer,
    scores: Placement,
    logits: boolean,
    pipeline: GPUComputePipeline,
    keep: Keep,
  ) {
    this.#device = device;
    this.#scores = scores;
    this.#logits = logits;
    this.#pipeline = pipeline;
    this.#most = Math.min(scores.shape[3], MOST_RANKED);
    this.#ranked = keep(
      createBuffer(device, 'ranked classes', this.bytes(), bufferUsage.STORAGE | bufferUsage.COPY_SRC),
    );
    this.#uniform = keep(createBuffer(device, 'ranking', 16, bufferUsage.UNIFORM | bufferUsage.COPY_DST));
    this.#bindGroup = device.createBindGroup({
      label: 'ranking',
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: this.#uniform } },
        { binding: 1, resource: { buffer: arena, offset: scores.offset, size: scores.bytes } },
        { binding: 2, resource: { buffer: this.#ranked } },
      ],
    });
  }

  /**
   * `arena` is the buffer that holds the scores at `scores`; `logits`: they are logits, not probabilities. Null where such
   * scores are not ranked here. Throws `ShaderError`, `OutOfMemoryError`, `DeviceError`.
   */
  static async create(gpu: Gpu, arena: GPUBuffer, scores: Placement, logits: boolean): Promise<RankStage | null> {
    if (!canRank(scores.shape)) return null;
    const { file, source, constants, overrides } = rankProgram(scores.shape, 1, logits);
    const { precision } = scores;
    const names = preludeNames({ precision, src: isHalf(precision) });
    const code = shaderCode(file, source, { ...constants, ...names });
    const [pipeline] = await compilePipelines(gpu.device, [
      { label: file, code, overrides, bindings: ['uniform', 'read', 'write'] },
    ]);
    return guarded(gpu.device, 'buffers for the best classes', (keep) => {
      return new RankStage(gpu.device, arena, scores, logits, pipeline!, keep);
    });
  }

  /** How many classes are ranked where `wanted` are asked for: as many as there are; 0 where that is not for here. */
  countFor(wanted: number): number {
    const count = Math.min(wanted, this.#scores.shape[3]);
    return Number.isInteger(count) && count >= 1 && count <= this.#most ? count : 0;
  }

  /** Bytes of the `count` best classes of each image; the most that there may be unless given. */
  bytes(count = this.#most): number {
    return RANKED_BYTES * this.#scores.shape[0] * count;
  }

  /** Encodes the dispatch, for the submit that follows. */
  encode(pass: GPUComputePassEncoder, count: number): void {
    const { file, source, shape, workgroups } = rankProgram(this.#scores.shape, count, this.#logits);
    this.#device.queue.writeBuffer(this.#uniform, 0, new Uint32Array(packUniform(file, source, shape)));
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#bindGroup);
    pass.dispatchWorkgroups(...workgroups);
  }

  /** Encodes the copy of the best classes to `offset` of `readback`; returns its bytes. */
  copy(encoder: GPUCommandEncoder, count: number, readback: GPUBuffer, offset: number): number {
    const bytes = this.bytes(count);
    encoder.copyBufferToBuffer(this.#ranked, 0, readback, offset, bytes);
    return bytes;
  }

  /** The best classes of each image in turn, best first, from a copy. */
  read(stored: ArrayBuffer): Ranked[] {
    const indices = new Uint32Array(stored);
    const scores = new Float32Array(stored);
    return Array.from({ length: stored.byteLength / RANKED_BYTES }, (_, i) => ({
      index: indices[2 * i]!,
      score: scores[2 * i + 1]!,
    }));
  }

  dispose(): void {
    this.#ranked.destroy();
    this.#uniform.destroy();
  }
}
