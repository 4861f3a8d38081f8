/** What browsers say of pictures that they do not read, in words that help. */
import { MobileNetError, PictureError, UsageError } from '../errors.ts';

const nameOf = (source: object): string => (source as File).name ?? `the ${source.constructor?.name ?? 'picture'}`;

const kinds = 'an img, canvas, video, ImageBitmap, ImageData, Blob, VideoFrame, GPUTexture or { data, width, height }';

/** The error to throw for one that came of reading a picture: `PictureError`, or `UsageError` where it is none. */
export function pictureFailure(source: unknown, cause: Error): Error {
  if (cause instanceof MobileNetError) return cause;
  if (typeof source !== 'object' || source === null) {
    return new UsageError(`${source === null ? 'null' : `a ${typeof source}`} is no picture: expected ${kinds}`);
  }
  const { message } = cause;
  if (typeof createImageBitmap === 'undefined') {
    return new UsageError(
      `there is no createImageBitmap here to read ${nameOf(source)} with: pass RGBA bytes ({ data, width, height })`,
    );
  }
  if ('way' in source && source.way === 'texture') {
    return new UsageError('a GPUTexture is read by a model on the GPU only: pass what it was made of');
  }
  if (cause.name === 'SecurityError') {
    return new PictureError(
      `the picture may not be read (${message}): it comes from another origin; have its server send ` +
        'Access-Control-Allow-Origin, and set crossOrigin = "anonymous" on the element before its src',
      { cause },
    );
  }
  // The queue of a GPU says of a wrong argument, too, that it is one.
  if (cause instanceof TypeError && !('way' in source)) {
    return new UsageError(`${nameOf(source)} is no picture: expected ${kinds} (${message})`, { cause });
  }
  const say = (what: string) => new PictureError(what, { cause });
  if ('videoWidth' in source && (source as HTMLVideoElement).readyState < 2) {
    return say('the video has no frame yet: wait for its event "loadeddata", or for play() to resolve');
  }
  if ('naturalWidth' in source) {
    const { currentSrc, src } = source as HTMLImageElement;
    return say(
      `the image ${currentSrc || src} could not be decoded: ${message}; check its address, and that it is a picture`,
    );
  }
  if (source instanceof Blob) {
    const { size, type } = source;
    return say(
      `${nameOf(source)} could not be decoded: ${message} (${size} bytes of type "${type}"): expected a whole JPEG, PNG or WebP file`,
    );
  }
  return say(`${nameOf(source)} could not be read: ${message}: it is empty, or was closed or handed to a worker`);
}
