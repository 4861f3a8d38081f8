/**
 * Fields of `fetch`'s `RequestInit`, such as headers and credentials, for every file of a model; or a function in the
 * place of `fetch`.
 */
export type FetchOption =
  | Omit<RequestInit, 'body' | 'method' | 'signal' | 'window'>
  | ((url: string, init: RequestInit) => Promise<Response>);

/** `storage`: files are kept in the browser's Cache Storage; `only`: nothing but what is kept there is used; `off`: neither. */
export type CacheOption = 'storage' | 'only' | 'off';

/** The SHA-256 of the model's only file, in hexadecimal or as `sha256-BASE64`, or those of all its files by their names. */
export type Integrity = string | Readonly<Record<string, string>>;

export interface FetchingOptions {
  readonly fetch?: FetchOption;
  /** Default: `storage` where `integrity` is given, else `off`: a file that changes would be found as it was before. */
  readonly cache?: CacheOption;
  /** Of addresses only: with bytes, files and paths it is a `UsageError`. */
  readonly integrity?: Integrity;
  /**
   * `same-origin` (default): an answer that was redirected to another origin is refused, unless `integrity` says what it has
   * to be. `any`: it is taken.
   */
  readonly redirects?: 'same-origin' | 'any';
  /** Most bytes that a file may have, 1 GiB unless given: reading ends there. */
  readonly maxBytes?: number;
}

/** Asks for a file. */
export type Request = (url: URL, signal?: AbortSignal) => Promise<Response>;
