/** What to do about a file that could not be fetched; `status`: what the server answered, null where nobody did. */
export function fetchAdvice(url: URL, status: number | null): string {
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
