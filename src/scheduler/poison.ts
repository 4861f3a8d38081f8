import type { PlanResources } from './plan-resources.ts';

/**
 * Fills the arena with NaN, so that an element that no kernel writes shows. Bytes have none: with `other` the arena is filled with
 * a different NaN, so that a byte shows that stays as it was both times. `only`: the buffers to fill.
 */
export function poison(
  { gpu, plan, arena }: Pick<PlanResources, 'gpu' | 'plan' | 'arena'>,
  other = false,
  only?: ReadonlySet<number>,
): void {
  arena.forEach((buffer, i) => {
    if (only && !only.has(i)) return;
    // NaN in binary16 as in binary32; no two bytes are alike.
    const word = other ? 0x7f807f7f : 0xffffffff;
    gpu.device.queue.writeBuffer(buffer, 0, new Uint32Array(plan.arena[i]! / 4).fill(word));
  });
}
