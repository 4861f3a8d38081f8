/**
 * Resolves the directives of a shader file. What WGSL's own `override` can do is left to it; these are for what it
 * cannot: accumulators that must be named variables, and bindings or statements that come and go.
 *
 *     #unroll i COUNT … #end        repeats the lines with `$i` = 0 … COUNT − 1; nests
 *     $i   $(2 * i + SIZE)          the number, anywhere in the text
 *     #if FLAG … #elif A == B … #else … #endif
 *     #include NAME COUNT=4 sum=total     the fragment of that name (shaders/fragments): a name in capitals is a number
 *                                         there, another a text that stands for `$sum`
 *
 * A fragment knows the names of the file that includes it. Of branches that do not hold nothing is looked at but conditions.
 */
import { ShaderError } from '../errors.ts';
import { evaluate, type Names } from './expression.ts';

export type { Names } from './expression.ts';

/** Texts of fragments by their names. */
export type Fragments = Readonly<Record<string, string>>;

/**
 * The final WGSL of `source`. Throws `ShaderError` on an unknown directive, name or fragment, a missing `#end` / `#endif`,
 * a fragment that includes itself, and one that is included twice with the same arguments.
 */
export function preprocess(file: string, source: string, constants: Names, fragments: Fragments = {}): string {
  const unrolled: string[] = [];
  const branches: Branch[] = [];
  unroll(linesOf(file, source), constants, unrolled, { fragments, included: new Set(), within: [], branches });
  if (branches.length > 0) throw new ShaderError(`${file}: "#if" without "#endif"`);
  return unrolled.join('\n').replace(/\n(\s*\n)+/g, '\n\n');
}

interface Line {
  readonly text: string;
  readonly where: string;
}

const linesOf = (file: string, source: string): Line[] =>
  source.split('\n').map((text, index) => ({ text, where: `${file}:${index + 1}` }));

interface Inclusion {
  readonly fragments: Fragments;
  /** Names and arguments of what the file has included so far. */
  readonly included: Set<string>;
  /** Fragments around the line, the outermost first. */
  readonly within: readonly string[];
  /** Of the conditions around the line, the innermost last. */
  readonly branches: Branch[];
}

/** Of an `#if`. */
interface Branch {
  /** Whether what is around it is kept. */
  readonly outer: boolean;
  /** Whether the lines of this branch are. */
  kept: boolean;
  /** Whether another branch may follow: no `#else` was met. */
  open: boolean;
  /** Whether those of this or an earlier branch are. */
  taken: boolean;
}

function unroll(lines: readonly Line[], names: Names, out: string[], inclusion: Inclusion): void {
  const { branches } = inclusion;
  for (let i = 0; i < lines.length; i++) {
    const { text, where } = lines[i]!;
    const [, directive, rest] = /^\s*#(\S+)\s*(.*)$/.exec(text) ?? [];
    const branch = branches.at(-1);
    const kept = branch?.kept ?? true;
    const holds = (outer: boolean) => outer && evaluate(rest!, names, where) !== 0;
    switch (directive) {
      case undefined:
        if (kept) out.push(substitute(text, names, where));
        break;
      case 'unroll': {
        const end = matchingEnd(lines, i);
        const [, variable, count] = /^([a-z]+) (.+)$/.exec(rest!) ?? [];
        if (!variable || !count) throw new ShaderError(`${where}: expected "#unroll name count"`);
        const body = lines.slice(i + 1, end);
        const times = kept ? evaluate(count, names, where) : 0;
        for (let value = 0; value < times; value++) unroll(body, { ...names, [variable]: value }, out, inclusion);
        i = end;
        break;
      }
      case 'include':
        if (kept) include(rest!, names, where, out, inclusion);
        break;
      case 'if': {
        const taken = holds(kept);
        branches.push({ outer: kept, kept: taken, taken, open: true });
        break;
      }
      case 'elif':
      case 'else':
        if (!branch?.open) throw new ShaderError(`${where}: "#${directive}" without "#if"`);
        branch.open = directive === 'elif';
        branch.kept = (directive === 'else' ? branch.outer : holds(branch.outer)) && !branch.taken;
        branch.taken ||= branch.kept;
        break;
      case 'endif':
        if (!branches.pop()) throw new ShaderError(`${where}: "#endif" without "#if"`);
        break;
      default:
        throw new ShaderError(`${where}: unknown directive "#${directive}"`);
    }
  }
}

function include(rest: string, names: Names, where: string, out: string[], inclusion: Inclusion): void {
  const { fragments, included, within } = inclusion;
  const [name, ...given] = rest.trim().split(/\s+(?=[A-Za-z_]\w*=(?!=))/);
  const text = Object.hasOwn(fragments, name!) ? fragments[name!] : undefined;
  if (text === undefined) {
    throw new ShaderError(`${where}: there is no fragment "${name}"; known: ${Object.keys(fragments).join(', ')}`);
  }
  if (within.includes(name!)) {
    throw new ShaderError(`${where}: fragments include one another: ${[...within, name].join(' → ')}`);
  }
  const values = given.map((argument) => {
    const [key, value] = [argument.slice(0, argument.indexOf('=')), argument.slice(argument.indexOf('=') + 1)];
    return [key, /^[A-Z]/.test(key) ? evaluate(value, names, where) : value] as const;
  });
  const key = [name, ...values.map((pair) => pair.join('='))].join(' ');
  if (included.has(key)) throw new ShaderError(`${where}: "${key}" is included twice`);
  included.add(key);
  const inner = { ...inclusion, within: [...within, name!] };
  unroll(linesOf(`fragments/${name}.wgsl`, text), { ...names, ...Object.fromEntries(values) }, out, inner);
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
    const { [expression]: value, ...others } = names;
    // A text is not in force within itself.
    out += typeof value === 'string' ? substitute(value, others, where) : evaluate(expression, names, where);
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
