import { expect, it } from 'vitest';
import { checkNames, compactShader, programsOf, shaderTexts, shortNames } from '../../scripts/compact-shaders.ts';

/** Words, numbers, directives' lines, and operators, the longest first. */
const tokensOf = (text: string): readonly string[] =>
  text
    .replace(/\/\/.*/g, '')
    .match(/^\s*#.*$|[\w.]+|->|--|\+\+|<<=|>>=|&&|\|\||<<|>>|[-+*/%&|^<>=!]=|\S/gm)!
    .map((token) => token.trim());

const texts = shaderTexts();
const programs = programsOf(texts);
const names = shortNames(programs);

it('shaders travel with the tokens that they are written in, in fewer bytes', () => {
  expect(texts.size).toBeGreaterThan(30);
  for (const [file, text] of texts) {
    expect(tokensOf(compactShader(text)), file).toEqual(tokensOf(text));
    expect(compactShader(text).length, file).toBeLessThan(text.length);
  }
  expect(tokensOf('a - -b')).toEqual(['a', '-', '-', 'b']);
  expect(tokensOf(compactShader('let x = a - -b;'))).toEqual(tokensOf('let x = a - -b;'));
});

it('what shaders declare travels under shorter names, each name under one of its own in all texts that may stand together', () => {
  /** Names with their fields, and texts in arguments of `#include`, apart; numbers at the end of a name stay there. */
  const words = (text: string) => text.replace(/\/\/.*/g, '').match(/[A-Za-z_]\w*|[^\sA-Za-z_]+/g)!;
  const base = (word: string) => word.replace(/(?<=[A-Za-z_])[\d_]*\d[\d_]*$/, '');
  /** Of each text its words, and what they travel as. */
  const pairs = new Map<string, readonly (readonly [string, string])[]>();
  for (const [file, text] of texts) {
    // Without breaks and spaces, which are told apart above.
    const [before, after] = [words(compactShader(text)), words(compactShader(text, names))];
    expect(after.length, file).toBe(before.length);
    pairs.set(
      text,
      before.map((word, i) => [word, after[i]!]),
    );
  }
  const everywhere = new Map<string, string>();
  const faults: string[] = [];
  for (const program of programs) {
    const long = new Map<string, string>();
    const kept = new Set<string>();
    for (const [word, other] of program.flatMap((text) => pairs.get(text)!)) {
      // A field, an attribute or a key may be called as something else is.
      if (word === other) {
        kept.add(word);
        continue;
      }
      const [from, to] = [base(word), base(other)];
      if ((everywhere.get(from) ?? to) !== to) faults.push(`${word} is ${everywhere.get(from)} and ${to}`);
      if ((long.get(to) ?? from) !== from) faults.push(`${other} is ${long.get(to)} and ${from}`);
      if (word.slice(from.length) !== other.slice(to.length)) faults.push(`${word} ends otherwise as ${other}`);
      everywhere.set(from, to);
      long.set(to, from);
    }
    // No short name is one that stays; fields, keys, and names of directives may be called as something else is.
    const apart = program.flatMap((text) => text.match(/\$\(.*|\$\w+|#.*|\.\w+|\w+(?=:)/g) ?? []).join(' ');
    const others = new Set(apart.match(/\w+/g));
    for (const name of long.keys()) if (kept.has(name) && !others.has(name)) faults.push(`${name} stays elsewhere`);
  }
  expect(faults).toEqual([]);
  expect(everywhere.size).toBeGreaterThan(100);
  for (const name of everywhere.keys()) expect(name).not.toMatch(/^(main|[A-Z][A-Z_]+)$/);
});

it('a shader stands with what it includes, what that includes, and what code may put in their place', () => {
  const shaders = new Map([
    ['prelude.wgsl', 'prelude'],
    ['whole.wgsl', 'whole\n#include part A=1'],
    ['other.wgsl', 'other'],
    ['fragments/part.wgsl', 'part\n  #include inner'],
    ['fragments/inner.wgsl', 'inner'],
    ['fragments/instead.wgsl', 'instead'],
  ]);
  const found = programsOf(shaders).map((program) => program.map((text) => text.split('\n')[0]!).sort());
  expect(found).toEqual([
    ['instead', 'prelude'],
    ['inner', 'instead', 'part', 'prelude', 'whole'],
    ['instead', 'other', 'prelude'],
  ]);
  expect(() => programsOf(new Map([['whole.wgsl', '#include gone']]))).toThrow('fragments/gone.wgsl');
  const one = shortNames([['let first = 1;'], ['let second = 1;']]);
  expect([...one.values()]).toEqual(['a', 'a']);
  const together = shortNames([['let first = 1;', 'let second = 1;']]);
  expect([...together.values()].sort()).toEqual(['a', 'b']);
});

it('leaves what code knows by name', () => {
  const text = `struct Shape { width: u32, rows: u32 }
override WORKGROUP_X: u32;
var<workgroup> held: array<f32, 4>;
#include part LEFT=2 sum=held
@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) workgroup: vec3u) {
#unroll p 2
  let width$p = dot(shape.width, workgroup.x) + $(p)u;
#end
  let width = width0 + held[0];
}`;
  expect(compactShader(text, shortNames([[text]]))).toBe(
    `struct Shape{width:u32,rows:u32}override WORKGROUP_X:u32;var<workgroup>b:array<f32,4>;
#include part LEFT=2 sum=b
@compute @workgroup_size(WORKGROUP_X)fn main(@builtin(workgroup_id)c:vec3u){
#unroll p 2
let a$p=dot(shape.width,c.x)+$(p)u;
#end
let a=a0+b[0];}`,
  );
});

it('gives no name that is a word of WGSL, or becomes one with numbers behind it', () => {
  // The sixth, ninth and twenty-first of the names that are given are f, i and u.
  const declared = Array.from({ length: 30 }, (_, i) => `value_${'abcdefghijklmnopqrstuvwxyzABCD'[i]}`);
  const text = (end: string) =>
    [...declared.map((each) => `let ${each}${end} = 1;`), '#unroll p 40', 'let last$p = 0;', '#end'].join('\n');
  for (const end of ['16', '32']) {
    const found = tokensOf(compactShader(text(end), shortNames([[text(end)]])));
    for (const word of ['f16', 'f32', 'i32', 'u32']) expect(found).not.toContain(word);
  }
  const names = [...shortNames([[text('$(p)')]]).values()];
  for (const letter of ['f', 'i', 'u']) expect(names).not.toContain(letter);
  expect([...shortNames([[text('8')]]).values()]).toEqual(expect.arrayContaining(['f', 'i', 'u']));
});

it.each([
  ['a type', 'let value16 = 1;', 'f', 'f16'],
  ['a keyword', 'let value = 1;', 'fn', 'fn'],
  ['a reserved word', 'let value = 1;', 'of', 'of'],
  ['a vector', 'let value2f = 1;', 'vec2f', 'vec2f'],
  ['what #unroll makes', '#unroll p 40\nlet value$p = 1;\n#end', 'u', 'u32'],
  ['what #unroll makes behind a number', '#unroll p 40\nlet value1$(p) = 1;\n#end', 'f', 'f16'],
  ['what #include makes', '#include part sum=value', 'i', 'i32'],
])('a build ends where a name would be %s', (_, text, short, word) => {
  const found = /value2f|value/.exec(text)![0];
  expect(() => checkNames([text], new Map([[found, short]]))).toThrow(`WGSL's "${word}"`);
  expect(() => checkNames([text], new Map([[found, 'aB']]))).not.toThrow();
});
