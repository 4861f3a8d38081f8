import { encode } from '@jridgewell/sourcemap-codec';
import { expect, it } from 'vitest';
import { importsLength, ownNames, shifted, withOwnNames } from '../../scripts/own-names.ts';

const codes = {
  'a.js': 'var pe=1,b=2,x=3;export{pe as t,b as n,x as pe,b as load};\n//# sourceMappingURL=a.js.map',
  'b.js': 'import{n as e,t}from"./a.js";import"./c.js";import(`./a.js`).then(e=>e.pe);export{e as t}',
  'c.js': 'export{load,n as m}from"./a.js";',
};
const namesOf = (file: keyof typeof codes) => ownNames(file, codes[file], Object.values(codes));

it('what a chunk exports has the name that it has inside, but where that is asked for later or is a word', () => {
  expect([...namesOf('a.js')]).toEqual([['n', 'b']]);
  expect([...ownNames('a.js', codes['a.js'], [codes['a.js']])]).toEqual([
    ['t', 'pe'],
    ['n', 'b'],
    ['pe', 'x'],
  ]);
  const of = (file: string) => namesOf(file as keyof typeof codes);
  const renamed = (file: keyof typeof codes) => withOwnNames(codes[file], of(file), of);
  expect(renamed('a.js')).toBe('var pe=1,b=2,x=3;export{pe as t,b,x as pe,b as load};\n//# sourceMappingURL=a.js.map');
  expect(renamed('b.js')).toBe('import{b as e,t}from"./a.js";import"./c.js";import(`./a.js`).then(e=>e.pe);export{e}');
  expect(renamed('c.js')).toBe('export{load,b as m}from"./a.js";');
});

it('no chunk exports a name twice', () => {
  const code = 'export{q as e,e as t,t as z};';
  const later = 'import("./a.js").then(e=>e.e)';
  expect(() => ownNames('a.js', code, [code, later])).toThrow('a.js would export a name twice: e,t,t');
});

it('mappings are shifted by what imports grow', () => {
  expect(importsLength(codes['b.js'])).toBe('import{n as e,t}from"./a.js";import"./c.js";'.length);
  expect(importsLength('var a;import{b}from"./b.js";')).toBe(0);
  const mappings = encode([[[0], [30, 0, 1, 2], [40, 0, 1, 5]], [[3, 0, 2, 0]]]);
  expect(shifted(mappings, -4)).toBe(encode([[[0], [26, 0, 1, 2], [36, 0, 1, 5]], [[3, 0, 2, 0]]]));
});
