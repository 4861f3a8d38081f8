import { settle } from '../../src/device/settle.ts';
import type { Executor } from '../../src/scheduler/executor.ts';
import { unpack } from '../../src/scheduler/tensors.ts';

/** All that is stored of a tensor, `[batch][height][width][⌈channels/4⌉·4]`: the padding lanes too. */
export async function storedValues({ gpu, plan, resources }: Executor, name: string): Promise<Float32Array> {
  const { device } = gpu;
  const placement = plan.tensors[name]!;
  const { buffer, offset, bytes, shape } = placement;
  const readback = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(resources.arena[buffer]!, offset, readback, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await settle(gpu, readback.mapAsync(GPUMapMode.READ));
  const padded = [shape[0], shape[1], shape[2], 4 * Math.ceil(shape[3] / 4)] as const;
  const values = unpack(readback.getMappedRange(), { ...placement, shape: padded });
  readback.destroy();
  return values;
}
