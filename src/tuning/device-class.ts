import type { AdapterDescription } from '../device/gpu.ts';

/**
 * The maker of an adapter, as Chrome names it, or the likeliest: '' where nothing is told. Firefox tells none. Phones' GPUs
 * have textures of ASTC, others of BC; both have Apple's, and Intel's on Linux, with workgroup memory beyond Metal's 32 KiB.
 * Of others the widths of waves tell, where they are told.
 */
export function likelyVendor({ vendor, features, subgroups, workgroupBytes = 0 }: AdapterDescription): string {
  if (vendor) return vendor.toLowerCase();
  const [astc, bc] = ['astc', 'bc'].map((format) => features.includes(`texture-compression-${format}`));
  const [least, most] = subgroups ?? [4, 128];
  if (astc && bc) return workgroupBytes > 32768 ? 'intel' : 'apple';
  if (least === 64 && most > 64) return 'qualcomm';
  if (astc || most <= 16) return 'arm';
  if (most > 64 || least <= 4) return '';
  return most === 64 ? 'amd' : least === 32 ? 'nvidia' : 'intel';
}
