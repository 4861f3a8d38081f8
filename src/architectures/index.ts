import { UsageError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { ArchitectureOptions } from './builder.ts';
import { partsOfId } from './id.ts';
import { mobileNetV1 } from './mobilenet-v1.ts';
import { mobileNetV2 } from './mobilenet-v2.ts';
import { mobileNetV3 } from './mobilenet-v3.ts';
import { mobileNetV4, type V4Size } from './mobilenet-v4.ts';

/**
 * A MobileNet with seeded random weights: tensor `input`, `[batch, size, size, inputChannels]`, to `logits`,
 * `[batch, 1, 1, classes]`; no softmax. `options` default to seed 1, 1000 classes, 3 input channels, batch 1. Throws
 * `UsageError` on an unknown id and on an option that is no whole number in its range.
 */
export function buildArchitecture(id: string, options: Partial<ArchitectureOptions> = {}): Graph {
  const { plain, v3, minimalistic, v4, ...numbers } = partsOfId(id);
  const alpha = Number(numbers.alpha ?? (v4 ? 1 : Number.NaN));
  const size = Number(numbers.size);
  if (!(alpha > 0 && alpha <= 4))
    throw new UsageError(`"${id}": α is missing or out of range; ids look like v2-1.0-224`);
  if (size < 32 || size > 1024) throw new UsageError(`"${id}": the input size ${size} is not between 32 and 1024`);
  const full: ArchitectureOptions = { seed: 1, classes: 1000, inputChannels: 3, batch: 1, ...options };
  for (const option of ['classes', 'inputChannels', 'batch'] as const) {
    const value = full[option];
    if (!Number.isInteger(value) || value < 1 || value > 2 ** 16) {
      throw new UsageError(`${id}: ${option} is ${value}, expected a whole number from 1 to 65536`);
    }
  }
  if (!Number.isSafeInteger(full.seed)) throw new UsageError(`${id}: seed is ${full.seed}, expected a whole number`);
  if (plain === 'v1') return mobileNetV1(id, alpha, size, full);
  if (plain === 'v2') return mobileNetV2(id, alpha, size, full);
  if (v3) {
    const variant = { size: v3 as 'small' | 'large', minimalistic: minimalistic !== undefined };
    return mobileNetV3(id, variant, alpha, size, full);
  }
  return mobileNetV4(id, v4 as V4Size, alpha, size, full);
}
