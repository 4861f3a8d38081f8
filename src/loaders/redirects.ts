import { FetchError } from '../errors.ts';
import type { FetchingOptions } from './fetching-options.ts';

/** Throws `FetchError` where the answer comes from another origin than was asked, and nobody said that it may. */
export function checkRedirect(url: URL, response: Response, { redirects, integrity }: FetchingOptions): void {
  if (!response.redirected || redirects === 'any' || integrity !== undefined) return;
  const { origin } = new URL(response.url);
  if (origin === url.origin) return;
  response.body?.cancel().catch(() => {});
  throw new FetchError(
    url.href,
    response.status,
    `the server sent it on to ${origin}, another origin; pass that address, the file's SHA-256 as integrity, or redirects: 'any'`,
  );
}
