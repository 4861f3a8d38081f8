/** Bytes that JavaScript asks for: the constructors of ArrayBuffer and of typed arrays are replaced by ones that count. */
let bytes = 0;

/** Since the process began. */
export const allocated = () => bytes;

const names = ['ArrayBuffer', ...['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32'].map((name) => `${name}Array`)];
names.push('Uint8ClampedArray', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array');

for (const name of names) {
  const original = globalThis[name];
  const counting = new Proxy(original, {
    construct(target, parameters, newTarget) {
      const made = Reflect.construct(target, parameters, newTarget === counting ? target : newTarget);
      // A view of a buffer takes nothing.
      if (!(parameters[0] instanceof ArrayBuffer)) bytes += made.byteLength;
      return made;
    },
  });
  // What `slice`, `map` and the like construct.
  Object.defineProperty(original.prototype, 'constructor', { value: counting });
  globalThis[name] = counting;
}
