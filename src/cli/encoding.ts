/** JSON with typed arrays in it: Float32Array and Uint8Array travel as base64. */

const tag = '$bytes';

export function encode(value: unknown): unknown {
  if (value instanceof Float32Array || value instanceof Uint8Array) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    let binary = '';
    for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return { [tag]: value instanceof Float32Array ? 'f32' : 'u8', base64: btoa(binary) };
  }
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, encode(entry)]));
  }
  return value;
}

export function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== 'object' || value === null) return value;
  if (tag in value) {
    const { base64, [tag]: type } = value as unknown as { base64: string; [tag]: string };
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return type === 'f32' ? new Float32Array(bytes.buffer) : bytes;
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, decode(entry)]));
}
