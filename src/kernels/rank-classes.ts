import source from '../../shaders/rank-classes.wgsl?raw';
import type { Shape } from '../graph/ops.ts';
import { ceilDiv, inputBinding, outputBinding, type Program, shapeBinding } from './kernel.ts';

/** Bytes of a class in the result: its index, and its probability as float32. */
export const RANKED_BYTES = 8;

/** The most workgroups along an axis, so the most images, that every WebGPU implementation takes. */
const MOST_IMAGES = 65535;

/** Whether `rankProgram` takes such scores: one for each class of an image. */
export const canRank = ([images, height, width]: Shape): boolean =>
  height === 1 && width === 1 && images <= MOST_IMAGES;

/**
 * Ranks `scores`, `[images, 1, 1, classes]`: the `count` best classes of each image, `count` at most `classes`. `logits`:
 * their probabilities are those of a softmax; else a score is a probability. It stands behind a plan, not in it: how many
 * classes are asked for is known only when a picture comes.
 */
export function rankProgram([images, , , classes]: Shape, count: number, logits: boolean): Program {
  // Few invocations wait for one another where there are few classes.
  const workgroup = classes > 4096 ? 256 : 64;
  return {
    file: 'rank-classes.wgsl',
    source,
    constants: { LOGITS: logits },
    overrides: { WORKGROUP_X: workgroup, GROUPS: workgroup === 256 ? 16 : 8 },
    shape: { classes, classes4: ceilDiv(classes, 4), count },
    bindings: [shapeBinding, inputBinding(0), outputBinding],
    workgroups: [images, 1, 1],
  };
}
