import { type Gpu, openGpu } from '../../src/device/gpu.ts';
import type { Shape } from '../../src/graph/ops.ts';
import { storedBytes } from '../../src/planner/create-plan.ts';
import type { Placement, Precision } from '../../src/planner/plan.ts';
import { RankStage } from '../../src/scheduler/rank-stage.ts';
import { pack, storedBits, unpack } from '../../src/scheduler/tensors.ts';

export interface RankCase {
  readonly scores: Float32Array;
  readonly shape: Shape;
  readonly logits: boolean;
  readonly precision: Precision;
  readonly count: number;
}

export interface RankResult {
  /** The scores as they are stored. */
  readonly held: Float32Array;
  readonly indices: readonly number[];
  readonly probabilities: Float32Array;
  readonly repeatable: boolean;
}

const BEFORE = 256;

let opening: Promise<Gpu> | undefined;

/** Whether tensors can be stored so on this adapter. */
export async function canStore({ precision }: { precision: Precision }): Promise<boolean> {
  opening ??= openGpu();
  return precision !== 'float16' || (await opening).device.features.has('shader-f16');
}

/** Ranks scores in the middle of a buffer; around them, and in the padding lanes, lie numbers larger than all. */
export async function rank({ scores, shape, logits, precision, count }: RankCase): Promise<RankResult> {
  opening ??= openGpu();
  const gpu = await opening;
  const { device } = gpu;
  const bytes = storedBytes(shape, precision);
  const placement: Placement = { buffer: 0, offset: BEFORE, bytes, shape, precision };
  const staging = new Float32Array(shape[0] * 4 * Math.ceil(shape[3] / 4)).fill(60000);
  pack(scores, placement, staging);
  const stored = storedBits(staging, precision);
  const arena = device.createBuffer({ size: BEFORE + bytes + 256, usage: 0x0080 | 0x0008 });
  const around = storedBits(new Float32Array(arena.size / 4).fill(60000), 'float32');
  device.queue.writeBuffer(arena, 0, around as Float32Array<ArrayBuffer>);
  device.queue.writeBuffer(arena, BEFORE, stored as Float32Array<ArrayBuffer>);
  const stage = (await RankStage.create(gpu, arena, placement, logits))!;
  const readback = device.createBuffer({ size: 8 + stage.bytes(), usage: 0x0001 | 0x0008 });
  const once = async () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    stage.encode(pass, count);
    pass.end();
    const copied = stage.copy(encoder, count, readback, 8);
    device.queue.submit([encoder.finish()]);
    await readback.mapAsync(1, 0, 8 + copied);
    const ranked = stage.read(readback.getMappedRange(8, copied));
    readback.unmap();
    return ranked;
  };
  try {
    const [first, again] = [await once(), await once()];
    return {
      held: unpack(stored.slice().buffer, placement),
      indices: first.map(({ index }) => index),
      probabilities: Float32Array.from(first, ({ score }) => score),
      repeatable: first.every(({ index, score }, i) => {
        return index === again[i]!.index && Object.is(score, again[i]!.score);
      }),
    };
  } finally {
    stage.dispose();
    for (const buffer of [arena, readback]) buffer.destroy();
  }
}
