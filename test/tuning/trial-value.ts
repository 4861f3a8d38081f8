/** Element `index` of a trial's tensor, as shaders/trial-values.wgsl has it. */
export function trialValue(index: number, most: number, seed: number): number {
  let z = (Math.imul(index, 0x9e3779b9) + seed) >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b) >>> 0;
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35) >>> 0;
  return ((((z ^ (z >>> 16)) >>> 0) % (2 * most + 1)) - most) / 4096;
}
