import { bufferUsage, createBuffer } from '../device/buffers.ts';

const { COPY_DST, COPY_SRC, STORAGE } = bufferUsage;

/** The buffers of a plan's arena; `destroy` frees those that no other plan holds. */
export interface Arena {
  readonly buffers: readonly GPUBuffer[];
  destroy(): void;
}

/**
 * Arena buffers of a device that plans share. The queue runs one submit after another, and what a plan's submit reads it
 * has written, so that they may use the same memory. A buffer is freed with the last plan that holds it.
 */
export class ArenaPool {
  readonly #device: GPUDevice;
  readonly #users = new Map<GPUBuffer, number>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** A buffer for each size in bytes: one that is there, where one is large enough. */
  take(sizes: readonly number[]): Arena {
    const free = [...this.#users.keys()].sort((a, b) => a.size - b.size);
    const buffers: GPUBuffer[] = [];
    let held = true;
    const destroy = () => {
      if (held) for (const buffer of buffers) this.#release(buffer);
      held = false;
    };
    try {
      // The largest first, so that none of them finds what it needs taken by a smaller one.
      for (const i of [...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]!)) {
        const size = sizes[i]!;
        const at = free.findIndex((buffer) => buffer.size >= size);
        const buffer =
          at < 0
            ? createBuffer(this.#device, `arena ${i}`, size, STORAGE | COPY_SRC | COPY_DST)
            : free.splice(at, 1)[0]!;
        this.#users.set(buffer, (this.#users.get(buffer) ?? 0) + 1);
        buffers[i] = buffer;
      }
    } catch (error) {
      destroy();
      throw error;
    }
    return { buffers, destroy };
  }

  #release(buffer: GPUBuffer | undefined): void {
    if (!buffer) return;
    const left = this.#users.get(buffer)! - 1;
    this.#users.set(buffer, left);
    if (left > 0) return;
    this.#users.delete(buffer);
    buffer.destroy();
  }
}
