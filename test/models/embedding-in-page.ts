import { type ImageRule, load, type PlanKind } from '../../src/index.ts';
import { compareOutputs, type Difference } from '../../src/validate/compare.ts';
import { signedPixels } from '../support/image-rule.ts';
import { randomValues } from '../support/random-values.ts';

const image: ImageRule = { ...signedPixels, fit: 'crop' };

/**
 * In the browser: the embedding of a picture of noise on WebGPU against the CPU reference, and the classes of it beside
 * those of a model without embedding.
 */
export async function compareEmbeddings({ id, plan }: { id: string; plan: PlanKind }): Promise<{
  embedding: Difference;
  features: number;
  classes: readonly number[];
  expected: readonly number[];
}> {
  const picture = { width: 70, height: 50, data: Uint8ClampedArray.from(randomValues(70 * 50 * 4, 7, 0, 256)) };
  const onGpu = await load(id, { device: 'webgpu', plan, embedding: true, tuning: 'off' });
  const onCpu = await load(id, { device: 'reference', embedding: true });
  const plain = await load(id, { device: 'webgpu', plan, tuning: 'off' });
  try {
    const { top, embedding } = await onGpu.embed(picture, { image });
    const { embedding: expected } = await onCpu.embed(picture, { image });
    const without = await plain.classify(picture, { image });
    return {
      embedding: compareOutputs(embedding, expected),
      features: embedding.length,
      classes: top.map(({ index }) => index),
      expected: without.map(({ index }) => index),
    };
  } finally {
    for (const model of [onGpu, onCpu, plain]) model.dispose();
  }
}
