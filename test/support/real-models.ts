import { beforeEach } from 'vitest';

/** The folder of real models and photographs that IMAGENET_MODELS names; empty where it names none. */
export const modelFolder = process.env.IMAGENET_MODELS ?? '';

export const withoutModels = 'IMAGENET_MODELS names no folder with the models';

/** In a `describe`: without that folder its tests are skipped. */
export function needModels(): void {
  beforeEach(({ skip }) => skip(!modelFolder, withoutModels));
}
