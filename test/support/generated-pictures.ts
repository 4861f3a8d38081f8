import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes `count` pictures of 8 × 8 pixels, each another, into a folder and one below it; returns their paths. */
export function writePictures(folder: string, count: number): string[] {
  mkdirSync(join(folder, 'below'), { recursive: true });
  return Array.from({ length: count }, (_, i) => {
    const path = join(folder, i % 3 === 0 ? 'below' : '', `${String(i).padStart(4, '0')}.bmp`);
    writeFileSync(path, bitmap(i));
    return path;
  }).sort();
}

/** 24 bits a pixel, uncompressed. */
function bitmap(seed: number): Uint8Array {
  const bytes = new Uint8Array(54 + 8 * 24);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, 8],
    [22, 8],
  ] as const)
    view.setUint32(at, value, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let i = 54; i < bytes.length; i++) bytes[i] = (i * (seed + 1) * 2654435761) >>> 24;
  return bytes;
}
