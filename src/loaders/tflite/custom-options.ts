/** Options of custom operators: a FlexBuffers map. */
import { toReference } from 'flatbuffers/mjs/flexbuffers/reference.js';

/** Reads options by name: numbers, booleans as 0 and 1; null for what is not there. */
export function customOptions(bytes: Uint8Array, fail: (message: string) => never): (key: string) => number | null {
  const read = <T>(what: string, get: () => T): T => {
    try {
      return get();
    } catch (error) {
      return fail(`has options that are damaged: ${what}: ${error instanceof Error ? error.message : error}`);
    }
  };
  const map = read('their root', () => toReference(bytes.slice().buffer as ArrayBuffer));
  if (!map.isMap()) fail('has options that are no map');
  return (key) =>
    read(key, () => {
      let value: ReturnType<typeof map.get>;
      try {
        value = map.get(key as never);
      } catch (error) {
        // How the reader says that there is no such key.
        if (typeof error === 'string' && error.startsWith(`Key [${key}]`)) return null;
        throw error;
      }
      if (value.isNull()) return null;
      if (value.isBool()) return Number(value.boolValue());
      return value.isNumber()
        ? Number(value.floatValue() ?? value.intValue())
        : fail(`has an option ${key} that is no number`);
    });
}
