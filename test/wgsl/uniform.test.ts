import { describe, expect, it } from 'vitest';
import { ShaderError } from '../../src/errors.ts';
import { packUniform, repackUniform } from '../../src/wgsl/uniform.ts';

const source = 'struct Shape {\n  count: u32, // how many: many\n  start: i32, scale: f32,\n}\n';

describe('uniform structs', () => {
  it('takes order and type from the shader', () => {
    expect(packUniform('t', source, { scale: 1, start: -1, count: 7 })).toEqual([7, 0xffffffff, 0x3f800000]);
  });

  it('gives some fields anew', () => {
    expect(repackUniform('t', source, [7, 0xffffffff, 0x3f800000, 0], { scale: 2, count: 8 })).toEqual([
      8, 0xffffffff, 0x40000000, 0,
    ]);
    expect(() => repackUniform('t', source, [7, 0, 0], { size: 2 })).toThrow(/no field size/);
    expect(() => repackUniform('t', source, [7, 0, 0], { count: -1 })).toThrow(/Shape\.count: -1/);
  });

  it.each([
    ['a missing field', { count: 1, start: 1 }, /Shape\.scale/],
    ['a field that the shader has not', { count: 1, start: 1, scale: 1, size: 2 }, /size/],
    ['a negative u32', { count: -1, start: 1, scale: 1 }, /Shape\.count: -1/],
    ['a fraction for an i32', { count: 1, start: 1.5, scale: 1 }, /Shape\.start: 1\.5/],
    ['a NaN', { count: 1, start: 1, scale: Number.NaN }, /Shape\.scale/],
  ])('refuses %s', (_, values, message) => {
    expect(() => packUniform('t', source, values as Record<string, number>)).toThrow(ShaderError);
    expect(() => packUniform('t', source, values as Record<string, number>)).toThrow(message);
  });
});
