/** Errors of addresses, which say what to do. */
import { FetchError } from '../errors.ts';

/** Nobody answered. */
export const unanswered = (url: URL, cause: Error): FetchError =>
  new FetchError(url.href, null, `could not be fetched: ${cause.message}; ${adviceOn(url, null)}`, { cause });

/** The answer was not the file. */
export const refused = (url: URL, { status, statusText }: Response): FetchError =>
  new FetchError(url.href, status, `the server answered ${status} ${statusText}; ${adviceOn(url, status)}`);

/** `status`: what the server answered, null where nobody did. */
function adviceOn(url: URL, status: number | null): string {
  if (status === 401 || status === 403) {
    return 'it wants to know who asks: pass headers or credentials by the option fetch, or an address that is valid still';
  }
  if (status === 404 || status === 410) return 'nothing is there: check the address, and that the file was deployed';
  if (status !== null && status >= 500) return 'it failed itself: try again later';
  if (status !== null) return 'check the address and what the server wants of a request';
  if (globalThis.navigator?.onLine === false) {
    return "there is no network: a model that was loaded with cache: 'storage' is found without";
  }
  const here = globalThis.location;
  if (here && here.protocol === 'https:' && url.protocol === 'http:')
    return 'a page of https may not fetch http: use https';
  const elsewhere =
    here && here.origin !== url.origin ? ', and that it lets other origins read (Access-Control-Allow-Origin)' : '';
  return `check the address and the network, that a server runs there${elsewhere}`;
}
