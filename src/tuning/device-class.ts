import type { AdapterDescription } from '../device/gpu.ts';

/**
 * What compilers of a maker's GPUs have in common, registers most of all: which tile of sums they keep there. `small`: not
 * known, and by its features or waves likely of few registers; `unknown`: nothing is told.
 */
export type DeviceClass = 'software' | 'intel' | 'mali' | 'apple' | 'adreno' | 'nvidia' | 'amd' | 'small' | 'unknown';

/** As Chrome names makers. Samsung's GPUs are AMD's. */
const classOfVendor: Readonly<Record<string, DeviceClass>> = {
  intel: 'intel',
  arm: 'mali',
  apple: 'apple',
  qualcomm: 'adreno',
  nvidia: 'nvidia',
  amd: 'amd',
  samsung: 'amd',
};

/**
 * The class of a device. Firefox tells no vendor: there the widths of waves say it where they are told, and else the formats
 * of textures, which phones' GPUs have of their own (ASTC) and others' too (BC). The two together are Apple's, or Intel's on
 * Linux, with workgroup memory beyond Metal's 32 KiB.
 */
export function deviceClass({
  vendor,
  software,
  features,
  subgroups,
  workgroupBytes = 0,
}: AdapterDescription): DeviceClass {
  if (software) return 'software';
  const known = classOfVendor[vendor.toLowerCase()];
  if (known) return known;
  const [least, most] = subgroups ?? [4, 128];
  if (most === 128 && least >= 64) return 'adreno';
  if (most === 64 && least >= 32) return 'amd';
  if (most <= 16) return 'small';
  if (most === 32 && least < 32 && least > 4) return 'intel';
  const [astc, bc] = ['astc', 'bc'].map((format) => features.includes(`texture-compression-${format}`));
  if (astc && bc) return workgroupBytes > 32768 ? 'intel' : 'apple';
  if (astc) return 'small';
  return most === 32 && least === 32 ? 'nvidia' : 'unknown';
}
