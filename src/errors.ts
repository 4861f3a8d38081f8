/**
 * Every error that this package throws on purpose. A message names the file, node or tensor, what was found,
 * what was expected and what to do; `code` is stable and meant for programs.
 */
export abstract class MobileNetError extends Error {
  override readonly name: string = 'MobileNetError';
  abstract readonly code: string;
}

/** The bytes are not a model file of a known format, or they are damaged: truncated, inconsistent, over a cap. */
export class ModelFormatError extends MobileNetError {
  override readonly name = 'ModelFormatError';
  readonly code = 'model-format';
  /** File (or file and offset) where the trouble is. */
  readonly file: string;

  constructor(file: string, message: string, options?: ErrorOptions) {
    super(`${file}: ${message}`, options);
    this.file = file;
  }
}

/** The file is sound, but holds an operation, an attribute or a data type that this engine does not run. */
export class UnsupportedOpError extends MobileNetError {
  override readonly name = 'UnsupportedOpError';
  readonly code = 'unsupported-op';
  readonly node: string;
  readonly op: string;

  constructor(file: string, node: string, op: string, message: string) {
    super(`${file}: node "${node}" (${op}): ${message}`);
    this.node = node;
    this.op = op;
  }
}

/** A graph is inconsistent: a tensor without a producer, shapes that do not fit, a cycle. */
export class GraphError extends MobileNetError {
  override readonly name = 'GraphError';
  readonly code = 'graph';
}

/** The caller passed something that cannot be used: a wrong input length, an unknown option value. */
export class UsageError extends MobileNetError {
  override readonly name: string = 'UsageError';
  readonly code = 'usage';
}

/** A picture cannot be decoded or read: damaged, empty, too large, closed, of another origin, or a video without a frame. */
export class PictureError extends MobileNetError {
  override readonly name = 'PictureError';
  readonly code = 'picture';
}

/** A file could not be fetched, by no fault of its own: no network, an address that answers otherwise, no permission. */
export class FetchError extends MobileNetError {
  override readonly name = 'FetchError';
  readonly code = 'fetch';
  readonly url: string;
  /** What the server answered; null where there was no answer. */
  readonly status: number | null;

  constructor(url: string, status: number | null, message: string, options?: ErrorOptions) {
    super(`${url}: ${message}`, options);
    this.url = url;
    this.status = status;
  }
}

/** A fetched or cached file is not the one that its SHA-256 says. */
export class IntegrityError extends MobileNetError {
  override readonly name = 'IntegrityError';
  readonly code = 'integrity';
}

/** A folder or a list of files holds more than one model: the caller has to say which. */
export class SeveralModelsError extends UsageError {
  /** The names of them. */
  readonly models: readonly string[];

  constructor(where: string, models: readonly string[]) {
    super(
      `there are ${models.length} models ${where}: ${models.join(', ')}; pass one of them, with the files of its own`,
    );
    this.models = models;
  }
}

/** WebGPU is absent, or the adapter cannot do what the plan needs. */
export class DeviceError extends MobileNetError {
  override readonly name = 'DeviceError';
  readonly code = 'device';
}

/**
 * The GPU device was lost while or before it was used. The next call asks for another device, unless the caller brought
 * the lost one: load the model again then.
 */
export class DeviceLostError extends MobileNetError {
  override readonly name = 'DeviceLostError';
  readonly code = 'device-lost';
}

/** The GPU could not allocate a buffer. */
export class OutOfMemoryError extends MobileNetError {
  override readonly name = 'OutOfMemoryError';
  readonly code = 'out-of-memory';
}

/** The network came to values that are no answer, NaN among the scores of classes; or a GPU computes wrongly, whatever runs on it. */
export class InvalidResultError extends MobileNetError {
  override readonly name = 'InvalidResultError';
  readonly code = 'invalid-result';
}

/** A shader was refused by the browser's compiler; the message holds the numbered source. */
export class ShaderError extends MobileNetError {
  override readonly name = 'ShaderError';
  readonly code = 'shader';
}
