import { activation } from './activation.ts';
import { affine, batchNorm, prelu } from './affine.ts';
import { clip } from './clip.ts';
import { concat } from './concat.ts';
import { convGrouped } from './conv-grouped.ts';
import { convTranspose } from './conv-transpose.ts';
import type { Kernel } from './kernel.ts';
import { l2Normalize } from './l2-normalize.ts';
import { pool } from './pool.ts';
import { reshape } from './reshape.ts';
import { resize } from './resize.ts';
import { transpose } from './transpose.ts';

/** What few networks need; `convGrouped` takes whatever convolution the usual kernels leave. */
export const usual: readonly Kernel[] = [
  convGrouped,
  convTranspose,
  pool,
  activation,
  clip,
  affine,
  batchNorm,
  prelu,
  l2Normalize,
  resize,
  concat,
  reshape,
  transpose,
];
