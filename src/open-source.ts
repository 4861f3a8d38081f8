/** Opens what is no bytes for a model: frames of video by the fastest way, and what the browser is to shrink. */
import type { ImageRule } from './graph/graph.ts';
import type { Pair } from './graph/ops.ts';
import { openPicture } from './images/open-picture.ts';
import type { OpenPicture, PictureSource } from './images/picture-source.ts';
import type { LoadOptions } from './load-options.ts';

/**
 * The picture for an input of `[height, width]`, and its rule from then on: another than `rule` where the browser has
 * shrunk it (`resize`). `device`: what is to read it; null on the CPU. Throws as `openPicture` does.
 */
export async function openSource(
  source: PictureSource,
  rule: ImageRule,
  input: Pair,
  resize: string | undefined,
  device: NonNullable<LoadOptions['gpuDevice']> | null,
): Promise<{ picture: OpenPicture; rule: ImageRule }> {
  if (resize && resize !== 'rule') return (await import('./images/shrink.ts')).openShrunk(source, rule, input, resize);
  const picture =
    device && isVideo(source)
      ? await (await import('./scheduler/video-picture.ts')).openVideo(device, source)
      : await openPicture(source);
  return { picture, rule };
}

/** Of an element, or a frame. */
const isVideo = (source: unknown): source is HTMLVideoElement | VideoFrame =>
  source instanceof Object && ('videoWidth' in source || 'displayWidth' in source);
