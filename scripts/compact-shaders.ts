/** Shaders as they travel: the same tokens in fewer bytes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type ShaderNames = ReadonlyMap<string, string>;

const withoutComments = (text: string) => text.replace(/\/\/.*/g, '');

/** What stays as it is: address spaces, fields, which code knows by name, attributes, and numbers that directives put in. */
const fixed = /var<[^>]*>|struct \w+\s*\{[^}]*\}|@\w+(?:\(\w+\))?|\$\((?:[^()]|\([^()]*\))*\)|\$[a-z]+/;

/** A name, and the places that `#unroll` gives it behind; what follows `$(…)` at once is such a place, what follows a point a field. */
const name = /(?<![\w$).])([A-Za-z_]\w*?)([\d_]*\d[\d_]*)?(?!\w)/;

const fixedOrName = new RegExp(`${fixed.source}|${name.source}`, 'g');

/**
 * Short names for what the shaders declare, the same in all of them, as they include one another; by how often they occur.
 * Entry points, fields, and what is written in capitals keep theirs: code knows them.
 */
export function shortNames(texts: readonly string[]): ShaderNames {
  const declared = new Set<string>();
  const called = new Set<string>(['main']);
  const counts = new Map<string, number>();
  const base = (text: string) => name.exec(text)![1]!;
  for (const text of texts.map((each) => withoutComments(each).replace(/^ *#.*/gm, ''))) {
    const statements = text.replace(/struct \w+\s*\{[^}]*\}/g, '');
    for (const [, found] of statements.matchAll(/\b(?:let|var|fn|alias)\b(?:<[^>]*>)? ([A-Za-z_]\w*)/g))
      declared.add(base(found!));
    for (const [, found] of statements.matchAll(/[(,]\s*(?:@\w+\(\w+\) )?([a-z]\w*): /g)) declared.add(base(found!));
    for (const [, found] of statements.matchAll(/(?<!\b(?:fn|alias) )(?<![\w$).@])([a-z]\w*)\(/g))
      called.add(base(found!));
    for (const [, found] of text.matchAll(fixedOrName)) if (found) counts.set(found, (counts.get(found) ?? 0) + 1);
  }
  const functions = new Set(
    texts.flatMap((text) => [...text.matchAll(/\bfn (\w+)\(/g)].map((match) => base(match[1]!))),
  );
  const often = [...declared]
    // What is called and declared nowhere is WGSL's own.
    .filter((found) => !called.has(found) || (functions.has(found) && found !== 'main'))
    .sort((a, b) => counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1));
  const small = [...'abcdefghijklmnopqrstuvwxyz'];
  const capital = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  // No word of WGSL is of two letters, of which the second is a capital.
  const free = [...small, ...capital, ...small.flatMap((a) => capital.map((b) => a + b))].filter(
    (short) => !counts.has(short),
  );
  return new Map(often.map((found) => [found, found.length === 1 ? found : free.shift()!]));
}

const rename = (text: string, names: ShaderNames) =>
  text.replace(fixedOrName, (all, found?: string, places = '') =>
    found === undefined ? all : `${names.get(found) ?? found}${places}`,
  );

/** An argument of `#include` in small letters is a text of the shader. */
const renameLine = (line: string, names: ShaderNames) =>
  line[0] !== '#'
    ? rename(line, names)
    : line.startsWith('#include')
      ? line.replace(/(?<= [a-z]\w*=)(?!=).*?(?=$| [A-Za-z_]\w*=(?!=))/g, (value) => rename(value, names))
      : line;

const afterOperand = /(?<=[\w)\]]) ?(&&|\|\||<<|>>|[-+*/%&|^<>=!]=?) ?(?=[\w($])/g;

/**
 * A shader without its comments, indentation, spaces beside brackets and operators, and breaks between statements: half of its
 * bytes, the same tokens but for `names`. Directives keep their lines and spaces.
 */
export function compactShader(text: string, names: ShaderNames = new Map()): string {
  const structs: string[] = [];
  const lines = withoutComments(text)
    .replace(/struct \w+\s*\{[^}]*\}/g, (found) => `struct ${structs.push(found) - 1};`)
    .split('\n')
    .map((line) =>
      renameLine(line.trim(), names).replace(/^struct (\d+);/, (_, at) => structs[at]!.replace(/\s+/g, ' ')),
    )
    .map((line) => (line[0] === '#' ? line : line.replace(/ *(->|[()[\]{},;:]) */g, '$1').replace(afterOperand, '$1')));
  return lines.filter(Boolean).reduce((before, line) => {
    const apart = line[0] === '#' || /(^|\n)#.*$/.test(before) || !/[;{},()]$/.test(before);
    return `${before}${apart ? '\n' : ''}${line}`;
  });
}

const folder = fileURLToPath(new URL('../shaders/', import.meta.url));

/** The texts of all shaders, by their path in shaders/. */
export const shaderTexts = (): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.wgsl'))
      .sort()
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  );
