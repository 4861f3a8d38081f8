import { ShaderError } from '../errors.ts';

/** Scalar fields of a uniform struct, each 4 bytes, in the order in which they are written. */
export type UniformValues = Readonly<Record<string, number>>;

/**
 * Lays out the fields of `struct Shape` as the shader's own text declares it, so that order and type are written
 * once. Every field is a u32, i32 or f32; the result is its 32-bit words. Throws `ShaderError` where the struct and
 * `values` do not name the same fields, or a value does not fit its type.
 */
export function packUniform(file: string, source: string, values: UniformValues): number[] {
  const fields = fieldsOf(file, source);
  const given = new Set(Object.keys(values));
  const words = fields.map(({ name, type }) => {
    const value = values[name];
    if (value === undefined) throw new ShaderError(`${file}: Shape.${name} was given no value`);
    given.delete(name);
    return word(`${file}: Shape.${name}`, type, value);
  });
  if (given.size > 0) throw new ShaderError(`${file}: struct Shape has no field ${[...given].join(', ')}`);
  return words;
}

/** Packed words with some of the fields given anew. Throws `ShaderError` as `packUniform` does. */
export function repackUniform(file: string, source: string, words: readonly number[], values: UniformValues): number[] {
  const fields = fieldsOf(file, source);
  const repacked = [...words];
  for (const [name, value] of Object.entries(values)) {
    const at = fields.findIndex((field) => field.name === name);
    if (at < 0) throw new ShaderError(`${file}: struct Shape has no field ${name}`);
    repacked[at] = word(`${file}: Shape.${name}`, fields[at]!.type, value);
  }
  return repacked;
}

type Field = { readonly name: string; readonly type: string };

/** By source: a plan packs a shape for each dispatch. */
const known = new Map<string, readonly Field[]>();

/** The fields as `struct Shape` declares them. */
function fieldsOf(file: string, source: string): readonly Field[] {
  const fields = known.get(source) ?? parseFields(file, source);
  known.set(source, fields);
  return fields;
}

function parseFields(file: string, source: string): readonly Field[] {
  const body = /struct Shape\s*\{([^}]*)\}/.exec(source)?.[1];
  if (body === undefined) throw new ShaderError(`${file}: has no "struct Shape"`);
  return [...body.replace(/\/\/.*$/gm, '').matchAll(/(\w+)\s*:\s*(\w+)/g)].map(([, name, type]) => ({
    name: name!,
    type: type!,
  }));
}

const scratch = new DataView(new ArrayBuffer(4));

function word(where: string, type: string, value: number): number {
  const integer = Number.isInteger(value);
  if (type === 'u32' && integer && value >= 0 && value < 2 ** 32) scratch.setUint32(0, value);
  else if (type === 'i32' && integer && Math.abs(value) < 2 ** 31) scratch.setInt32(0, value);
  else if (type === 'f32' && !Number.isNaN(value)) scratch.setFloat32(0, value);
  else throw new ShaderError(`${where}: ${value} is not a ${type}`);
  return scratch.getUint32(0);
}
