import { bufferUsage, createBuffer, type Keep } from '../device/buffers.ts';
import type { Placement, Plan } from '../planner/plan.ts';
import { IN_FLIGHT } from './run-order.ts';
import { unpack } from './tensors.ts';

/**
 * Some of a plan's outputs, and where each of them comes to lie in a readback buffer; `extra` bytes may follow them.
 * There are as many buffers as runs may be in flight, so that each has one of its own.
 */
export class Readout {
  /** Where the outputs end, a multiple of 8. */
  readonly bytes: number;
  readonly #outputs: readonly { readonly name: string; readonly placement: Placement; readonly at: number }[];
  readonly #buffers: readonly GPUBuffer[];
  /** Those that no run uses. */
  readonly #idle: GPUBuffer[];

  constructor(device: GPUDevice, plan: Plan, outputs: Plan['outputs'], keep: Keep, extra = 0) {
    let bytes = 0;
    this.#outputs = outputs.map(({ name, tensor }) => {
      const placement = plan.tensors[tensor]!;
      const at = bytes;
      bytes += Math.ceil(placement.bytes / 8) * 8;
      return { name, placement, at };
    });
    this.bytes = bytes;
    this.#buffers = Array.from({ length: IN_FLIGHT }, (_, i) =>
      keep(createBuffer(device, `readback ${i}`, bytes + extra, bufferUsage.MAP_READ | bufferUsage.COPY_DST)),
    );
    this.#idle = [...this.#buffers];
  }

  /** A buffer that no run uses, until `release`. */
  acquire(): GPUBuffer {
    return this.#idle.pop()!;
  }

  release(buffer: GPUBuffer): void {
    this.#idle.push(buffer);
  }

  /** Encodes the copies of the outputs. */
  copy(encoder: GPUCommandEncoder, arena: readonly GPUBuffer[], readback: GPUBuffer): void {
    for (const { placement, at } of this.#outputs) {
      encoder.copyBufferToBuffer(arena[placement.buffer]!, placement.offset, readback, at, placement.bytes);
    }
  }

  /** The outputs in a mapped buffer. */
  read(readback: GPUBuffer): Record<string, Float32Array> {
    const values = this.#outputs.map(({ name, placement, at }) => {
      return [name, unpack(readback.getMappedRange(at, placement.bytes), placement)] as const;
    });
    return Object.fromEntries(values);
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }
}
