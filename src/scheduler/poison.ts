import type { PlanResources } from './plan-resources.ts';

/** Fills the arena with NaN, so that an element that no kernel writes shows. */
export function poison({ gpu, plan, arena }: Pick<PlanResources, 'gpu' | 'plan' | 'arena'>): void {
  arena.forEach((buffer, i) => {
    // 0xffff is NaN in binary16, 0xffffffff in binary32.
    gpu.device.queue.writeBuffer(buffer, 0, new Uint32Array(plan.arena[i]! / 4).fill(0xffffffff));
  });
}
