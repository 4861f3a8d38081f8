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

/** WGSL's keywords, its reserved words, and its predeclared types: no name may be one of them. */
const words: ReadonlySet<string> = new Set(
  `alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop
  override requires return struct switch true var while
  NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class co_await
  co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr constinit
  crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern external
  fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import inline instanceof
  interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept noinline
  nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset partial pass patch
  pixelfragment precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast
  require resource restrict self set shared sizeof smooth snorm static static_assert static_cast std subroutine super target
  template this thread_local throw trait try type typedef typeid typename typeof union unless unorm unsafe unsized use using
  varying virtual volatile wgsl where with writeonly yield
  bool f16 f32 i32 u32 array atomic ptr sampler sampler_comparison texture_1d texture_2d texture_2d_array texture_3d
  texture_cube texture_cube_array texture_multisampled_2d texture_depth_multisampled_2d texture_external texture_depth_2d
  texture_depth_2d_array texture_depth_cube texture_depth_cube_array texture_storage_1d texture_storage_2d
  texture_storage_2d_array texture_storage_3d`
    .split(/\s+/)
    .concat([2, 3, 4].flatMap((n) => ['', 'f', 'h', 'i', 'u'].map((type) => `vec${n}${type}`)))
    .concat([2, 3, 4].flatMap((n) => [2, 3, 4].flatMap((m) => ['', 'f', 'h'].map((type) => `mat${n}x${m}${type}`)))),
);

const structs = /struct \w+\s*\{[^}]*\}/g;

/** Arguments of `#include` in small letters: texts of the shader. */
const textArguments = /(?<= [a-z]\w*=)(?!=).*?(?=$| [A-Za-z_]\w*=(?!=))/g;

/** What stands behind each name, numbers or nothing, with `$` after it where directives may put in more. */
function endsOf(texts: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const ends = new Map<string, Set<string>>();
  const note = (text: string, argument: boolean) => {
    for (const { 0: all, 1: found, 2: places = '', index } of text.matchAll(fixedOrName)) {
      if (!found) continue;
      const open = argument || text[index + all.length] === '$';
      ends.set(found, (ends.get(found) ?? new Set()).add(`${places}${open ? '$' : ''}`));
    }
  };
  for (const text of texts) {
    for (const line of withoutComments(text).replace(structs, '').split('\n')) {
      const directive = line.trim()[0] === '#';
      // A fragment may put numbers behind its argument.
      if (directive) for (const [value] of line.matchAll(textArguments)) note(value, true);
      else note(line, false);
    }
  }
  return ends;
}

/** The word of WGSL that `short` is, or may become, with one of `ends` behind it. */
const wordOf = (short: string, ends: Iterable<string>): string | undefined =>
  [...ends]
    .flatMap((end) => {
      const start = short + end.replace('$', '');
      return [...words].filter((word) =>
        end.endsWith('$') ? word.startsWith(start) && /^(\d|$)/.test(word.slice(start.length)) : word === start,
      );
    })
    .at(0);

/** Throws where a name that is not the shader's own is a word of WGSL, or may become one as `#unroll` and `#include` write it. */
export function checkNames(texts: readonly string[], names: ShaderNames): void {
  for (const [found, ends] of endsOf(texts)) {
    const short = names.get(found);
    const word = short !== undefined && short !== found ? wordOf(short, ends) : undefined;
    if (word) throw new Error(`"${found}" of the shaders would travel as "${short}", and so be WGSL's "${word}"`);
  }
}

/** Included by some, and put in another's place by code (`src/kernels/int8-tile.ts`). */
const inAnothersPlace = 'fragments/int8-place-of-group.wgsl';

/**
 * Shaders with all that may stand with them in one text, by their paths: preludes, the fragments that they include, and those
 * that code puts in the place of others, as all do that nobody includes.
 */
export function programsOf(shaders: ReadonlyMap<string, string>): readonly (readonly string[])[] {
  const fragments = new Map([...shaders].filter(([path]) => path.startsWith('fragments/')));
  const includedBy = (text: string) =>
    [...text.matchAll(/^\s*#include ([\w-]+)/gm)].map(([, fragment]) => `fragments/${fragment}.wgsl`);
  const included = new Set([...shaders.values()].flatMap(includedBy));
  const everywhere = [...shaders.keys()].filter(
    (path) => path.endsWith('prelude.wgsl') || path === inAnothersPlace || (fragments.has(path) && !included.has(path)),
  );
  return [...shaders.keys()]
    .filter((path) => !fragments.has(path))
    .map((path) => {
      const paths = new Set([path, ...everywhere]);
      for (const each of paths) for (const fragment of includedBy(shaders.get(each) ?? '')) paths.add(fragment);
      return [...paths].map((each) => {
        const text = shaders.get(each);
        if (text === undefined) throw new Error(`${path} includes ${each}, which does not exist`);
        return text;
      });
    });
}

/**
 * Short names for what the shaders declare, each the same in all of them; two names have one short name where no program
 * has both. The most frequent ones are the shortest. Entry points, fields, and what is written in capitals keep theirs:
 * code knows them.
 */
export function shortNames(programs: readonly (readonly string[])[]): ShaderNames {
  const texts = [...new Set(programs.flat())];
  const declared = new Set<string>();
  const called = new Set<string>(['main']);
  const counts = new Map<string, number>();
  const base = (text: string) => name.exec(text)![1]!;
  for (const whole of texts) {
    const text = withoutComments(whole).replace(/^ *#.*/gm, '');
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
  const kept = new Set([...counts.keys()].filter((found) => !often.includes(found)));
  const small = [...'abcdefghijklmnopqrstuvwxyz'];
  const capital = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  const shorts = [...small, ...capital, ...small.flatMap((a) => capital.map((b) => a + b))].filter(
    (short) => !kept.has(short),
  );
  const ends = endsOf(texts);
  const namesIn = new Map(texts.map((text) => [text, [...endsOf([text]).keys()]]));
  const programNames = programs.map((program) => new Set(program.flatMap((text) => namesIn.get(text)!)));
  const taken = programNames.map(() => new Set<string>());
  const names = new Map<string, string>();
  for (const found of often) {
    const beside = taken.filter((_, i) => programNames[i]!.has(found));
    // Not what becomes a word of WGSL, as `f` would with 16 behind it.
    const short = shorts.find(
      (each) => !beside.some((others) => others.has(each)) && !wordOf(each, ends.get(found) ?? ['']),
    )!;
    for (const others of beside) others.add(short);
    names.set(found, short);
  }
  checkNames(texts, names);
  return names;
}

const rename = (text: string, names: ShaderNames) =>
  text.replace(fixedOrName, (all, found?: string, places = '') =>
    found === undefined ? all : `${names.get(found) ?? found}${places}`,
  );

const renameLine = (line: string, names: ShaderNames) =>
  line[0] !== '#'
    ? rename(line, names)
    : line.startsWith('#include')
      ? line.replace(textArguments, (value) => rename(value, names))
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
