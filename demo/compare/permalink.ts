/** A result in the hash of an address: no server keeps it. */
import { UsageError } from '../../src/index.ts';
import type { EngineResult, Result } from './result.ts';

/** FNV-1a of 32 bits: so that a link that lost a letter, or was edited, is noticed. No proof of who made it. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (const letter of new TextEncoder().encode(text)) hash = Math.imul(hash ^ letter, 0x01000193);
  return (hash >>> 0).toString(36);
}

const toBase64 = (text: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

export function hashOf(result: Result): string {
  const text = JSON.stringify(result);
  return `#compare?r=${toBase64(text)}.${checksum(text)}`;
}

/** The result in a hash; null where there is none. Throws `UsageError` where it is damaged. */
export function resultIn(hash: string): Result | null {
  const [, packed] = /^#compare\?r=(.*)$/.exec(hash) ?? [];
  if (packed === undefined) return null;
  const damaged = () =>
    new UsageError(
      'the result in this link is damaged: it was cut or edited on its way. Ask for the link again, or measure here',
    );
  if (packed.length > 8000) throw damaged();
  const [body = '', sum] = packed.split('.');
  let value: unknown;
  try {
    const letters = atob(body.replaceAll('-', '+').replaceAll('_', '/'));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(letters, (c) => c.charCodeAt(0)));
    if (checksum(text) !== sum) throw damaged();
    value = JSON.parse(text);
  } catch {
    throw damaged();
  }
  if (!isResult(value)) throw damaged();
  return value;
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isMaybe = (value: unknown): boolean => value === null || isTime(value);
const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= 200;

function isEngine(value: unknown): value is EngineResult {
  const { name, median, interval, runs, first } = (value ?? {}) as EngineResult;
  return (
    ['WebGPU', 'CPU engine', 'CPU reference'].includes(name) &&
    [median, runs, first].every(isTime) &&
    (interval === null || (Array.isArray(interval) && interval.length === 2 && interval.every(isTime)))
  );
}

function isResult(value: unknown): value is Result {
  const { model, version, browser, adapter, macs, engines, cold, framesPerSecond, hostMs, gpuMs, stallMs, layers } =
    (value ?? {}) as Result;
  return (
    [model, version, browser, adapter].every(isText) &&
    [macs, stallMs].every(isTime) &&
    Array.isArray(engines) &&
    engines.length <= 3 &&
    engines.every(isEngine) &&
    Array.isArray(cold) &&
    cold.length === 4 &&
    [...cold, framesPerSecond, hostMs, gpuMs].every(isMaybe) &&
    (layers === null || (Array.isArray(layers) && layers.length === 2 && layers.every(isTime)))
  );
}
