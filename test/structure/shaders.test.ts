import { expect, it } from 'vitest';
import { checkNames, compactShader, shaderTexts, shortNames } from '../../scripts/compact-shaders.ts';

/** Words, numbers, directives' lines, and operators, the longest first. */
const tokensOf = (text: string): readonly string[] =>
  text
    .replace(/\/\/.*/g, '')
    .match(/^\s*#.*$|[\w.]+|->|--|\+\+|<<=|>>=|&&|\|\||<<|>>|[-+*/%&|^<>=!]=|\S/gm)!
    .map((token) => token.trim());

const texts = shaderTexts();
const names = shortNames([...texts.values()]);

it('shaders travel with the tokens that they are written in, in fewer bytes', () => {
  expect(texts.size).toBeGreaterThan(30);
  for (const [file, text] of texts) {
    expect(tokensOf(compactShader(text)), file).toEqual(tokensOf(text));
    expect(compactShader(text).length, file).toBeLessThan(text.length);
  }
  expect(tokensOf('a - -b')).toEqual(['a', '-', '-', 'b']);
  expect(tokensOf(compactShader('let x = a - -b;'))).toEqual(tokensOf('let x = a - -b;'));
});

it('what shaders declare travels under shorter names, each name under one of its own in all of them', () => {
  /** Names with their fields, and texts in arguments of `#include`, apart; numbers at the end of a name stay there. */
  const words = (text: string) => text.replace(/\/\/.*/g, '').match(/[A-Za-z_]\w*|[^\sA-Za-z_]+/g)!;
  const base = (word: string) => word.replace(/(?<=[A-Za-z_])[\d_]*\d[\d_]*$/, '');
  const short = new Map<string, string>();
  const long = new Map<string, string>();
  for (const [file, text] of texts) {
    // Without breaks and spaces, which are told apart above.
    const [before, after] = [words(compactShader(text)), words(compactShader(text, names))];
    expect(after.length, file).toBe(before.length);
    before.forEach((word, i) => {
      const other = after[i]!;
      // A field, an attribute or a key may be called as something else is.
      if (word === other) return;
      expect(short.get(base(word)) ?? base(other), `${file}: ${word}`).toBe(base(other));
      expect(long.get(base(other)) ?? base(word), `${file}: ${other}`).toBe(base(word));
      expect(word.slice(base(word).length), `${file}: ${word}`).toBe(other.slice(base(other).length));
      short.set(base(word), base(other));
      long.set(base(other), base(word));
    });
  }
  expect(short.size).toBeGreaterThan(100);
  // No short name is one that stays somewhere.
  const kept = new Set(
    [...texts.values()].flatMap((text) => words(compactShader(text, names))).filter((word) => !long.has(base(word))),
  );
  for (const name of long.keys()) expect(kept, name).not.toContain(name);
  for (const name of short.keys()) expect(name).not.toMatch(/^(main|[A-Z][A-Z_]+)$/);
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
  expect(compactShader(text, shortNames([text]))).toBe(
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
    const found = tokensOf(compactShader(text(end), shortNames([text(end)])));
    for (const word of ['f16', 'f32', 'i32', 'u32']) expect(found).not.toContain(word);
  }
  const names = [...shortNames([text('$(p)')]).values()];
  for (const letter of ['f', 'i', 'u']) expect(names).not.toContain(letter);
  expect([...shortNames([text('8')]).values()]).toEqual(expect.arrayContaining(['f', 'i', 'u']));
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
