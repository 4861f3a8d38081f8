/** Pictures that the browser shrinks before they are copied to the GPU; fetched where that is asked for. */
import { UsageError } from '../errors.ts';
import type { ImageRule } from '../graph/graph.ts';
import type { Pair } from '../graph/ops.ts';
import { openPicture } from './open-picture.ts';
import type { OpenPicture, PictureSource } from './picture-source.ts';
import { regionOf, resamplePlan } from './resample.ts';

/** A picture, and the rule for what became of it. */
interface Shrunk {
  readonly picture: OpenPicture;
  readonly rule: ImageRule;
}

/**
 * The rule's region of the picture, so small that a pixel of it is a pixel of the input, by the browser's own filter. What
 * is bytes or a texture is left as it is, and so is what the rule enlarges. Throws as `openPicture` does.
 */
export async function openShrunk(source: PictureSource, rule: ImageRule, input: Pair, how: string): Promise<Shrunk> {
  if (how !== 'browser') throw new UsageError(`resize is "${how}", expected "browser" or "rule"`);
  const size = sizeOf(source);
  if (!size) {
    const picture = await openPicture(source);
    if ('data' in picture || picture.way !== 'copy' || !(source instanceof Blob)) return { picture, rule };
    try {
      return await openShrunk(picture.source as ImageBitmap, rule, input, how);
    } finally {
      picture.close();
    }
  }
  const { vertical, horizontal } = resamplePlan(size, rule, input);
  const { left, top, width, height } = regionOf(size, rule);
  const steps = (rule.rotate ?? 0) % 180 === 0 ? [vertical.step, horizontal.step] : [horizontal.step, vertical.step];
  const [resizeHeight, resizeWidth] = [height / Math.max(1, steps[0]!), width / Math.max(1, steps[1]!)].map((length) =>
    Math.max(1, Math.round(length)),
  );
  const resize = { resizeWidth, resizeHeight, resizeQuality: 'medium' } as const;
  // Alpha multiplied in: Firefox gives other pixels of a canvas that it is to shrink without.
  const picture = await openPicture(source, ({ premultiplyAlpha: _, ...options }) =>
    createImageBitmap(source as ImageBitmap, left, top, width, height, { ...options, ...resize }),
  );
  const { region: _, ...whole } = rule;
  return { picture, rule: whole };
}

/** Height and width of what the browser can shrink; null where they are not known yet, or it cannot. */
function sizeOf(source: PictureSource): Pair | null {
  if (typeof source !== 'object' || source === null || 'data' in source || 'createView' in source) return null;
  const sized = source as Partial<Record<'videoWidth' | 'displayWidth' | 'naturalWidth' | 'width', number>> &
    Partial<Record<'videoHeight' | 'displayHeight' | 'naturalHeight' | 'height', number>>;
  const width = sized.videoWidth ?? sized.displayWidth ?? sized.naturalWidth ?? sized.width;
  const height = sized.videoHeight ?? sized.displayHeight ?? sized.naturalHeight ?? sized.height;
  return width && height ? [height, width] : null;
}
