/**
 * Resolves the directives of a shader file. What WGSL's own `override` can do is left to it; these are for what it
 * cannot: accumulators that must be named variables, and bindings or statements that come and go.
 *
 *     #unroll i COUNT … #end        repeats the lines with `$i` = 0 … COUNT − 1; nests
 *     $i   $(2 * i + SIZE)          the number, anywhere in the text
 *     #if FLAG … #elif A == B … #else … #endif
 *
 * `#if` is resolved by wgsl-preprocessor, an ordinary template tag: the text is cut where a template literal would
 * be cut, and the tag is called with the pieces and the values of the conditions.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { ShaderError } from '../errors.ts';
import { evaluate, type Names } from './expression.ts';

export type { Names } from './expression.ts';

/** The final WGSL of `source`. Throws `ShaderError` on an unknown directive, name or a missing `#end` / `#endif`. */
export function preprocess(file: string, source: string, constants: Names): string {
  const lines = source.split('\n').map((text, index) => ({ text, where: `${file}:${index + 1}` }));
  const unrolled: string[] = [];
  unroll(lines, constants, unrolled);
  return resolveConditions(file, unrolled.join('\n')).replace(/\n(\s*\n)+/g, '\n\n');
}

interface Line {
  readonly text: string;
  readonly where: string;
}

function unroll(lines: readonly Line[], names: Names, out: string[]): void {
  for (let i = 0; i < lines.length; i++) {
    const { text, where } = lines[i]!;
    const [, directive, rest] = /^\s*#(\S+)\s*(.*)$/.exec(text) ?? [];
    switch (directive) {
      case undefined:
        out.push(substitute(text, names, where));
        break;
      case 'unroll': {
        const end = matchingEnd(lines, i);
        const [, variable, count] = /^([a-z]+) (.+)$/.exec(rest!) ?? [];
        if (!variable || !count) throw new ShaderError(`${where}: expected "#unroll name count"`);
        const body = lines.slice(i + 1, end);
        const times = evaluate(count, names, where);
        for (let value = 0; value < times; value++) unroll(body, { ...names, [variable]: value }, out);
        i = end;
        break;
      }
      case 'if':
      case 'elif':
        out.push(`#${directive} ${evaluate(rest!, names, where) === 0 ? 0 : 1}`);
        break;
      case 'else':
      case 'endif':
        out.push(`#${directive}`);
        break;
      default:
        throw new ShaderError(`${where}: unknown directive "#${directive}"`);
    }
  }
}

function matchingEnd(lines: readonly Line[], start: number): number {
  let depth = 0;
  for (let i = start; i < lines.length; i++) {
    if (/^\s*#unroll\b/.test(lines[i]!.text)) depth++;
    if (/^\s*#end\s*$/.test(lines[i]!.text) && --depth === 0) return i;
  }
  throw new ShaderError(`${lines[start]!.where}: "#unroll" without "#end"`);
}

function substitute(text: string, names: Names, where: string): string {
  let out = '';
  let from = 0;
  for (let dollar = text.indexOf('$'); dollar >= 0; dollar = text.indexOf('$', from)) {
    out += text.slice(from, dollar);
    const expression = text[dollar + 1] === '(' ? balanced(text, dollar + 1, where) : nameAt(text, dollar + 1, where);
    out += evaluate(expression, names, where);
    from = dollar + 1 + expression.length;
  }
  return out + text.slice(from);
}

/** The text from the parenthesis at `open` to the one that closes it. */
function balanced(text: string, open: number, where: string): string {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '(') depth++;
    if (text[i] === ')' && --depth === 0) return text.slice(open, i + 1);
  }
  throw new ShaderError(`${where}: "$(" without ")"`);
}

function nameAt(text: string, start: number, where: string): string {
  const name = /^[a-z]+/.exec(text.slice(start))?.[0];
  if (!name) throw new ShaderError(`${where}: expected a name or "(" after "$"`);
  return name;
}

function resolveConditions(file: string, text: string): string {
  const pieces: string[] = [];
  const values: number[] = [];
  let from = 0;
  for (const match of text.matchAll(/^#(?:if|elif) ([01])$/gm)) {
    const cut = match.index + match[0].length - 1;
    pieces.push(text.slice(from, cut));
    values.push(Number(match[1]));
    from = cut + 1;
  }
  pieces.push(text.slice(from));
  try {
    return wgsl(pieces, ...values);
  } catch (error) {
    throw new ShaderError(`${file}: ${(error as Error).message}`);
  }
}
