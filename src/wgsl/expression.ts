import { ShaderError } from '../errors.ts';

/** Values of names in an expression, booleans count as 0 and 1; a text stands for itself and is in no expression. */
export type Names = Readonly<Record<string, number | boolean | string>>;

/** Those that bind alike in one entry, the weakest first. */
const operators: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { '||': (a, b) => (a || b ? 1 : 0) },
  { '&&': (a, b) => (a && b ? 1 : 0) },
  {
    '==': (a, b) => +(a === b),
    '!=': (a, b) => +(a !== b),
    '<=': (a, b) => +(a <= b),
    '>=': (a, b) => +(a >= b),
    '<': (a, b) => +(a < b),
    '>': (a, b) => +(a > b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => Math.trunc(a / b), '%': (a, b) => a % b },
];

/**
 * Evaluates an integer expression of a shader directive: whole numbers, names, parentheses, `! - + * / %`
 * (division truncates), comparisons, `&& ||`, with C's precedence. Comparisons give 1 or 0.
 * Throws `ShaderError` on a syntax error or a name without a value.
 */
export function evaluate(expression: string, names: Names, where: string): number {
  const tokens = expression.match(/\d+|[A-Za-z_]\w*|\|\||&&|[=!<>]=|[-+*/%()<>!]|\S/g) ?? [];
  let at = 0;
  const fail = (message: string): never => {
    throw new ShaderError(`${where}: "${expression}": ${message}`);
  };

  const primary = (): number => {
    const token = tokens[at++];
    if (token === undefined) return fail('ends too early');
    if (token === '(') {
      const value = binary(0);
      if (tokens[at++] !== ')') fail('")" is missing');
      return value;
    }
    if (token === '!') return primary() === 0 ? 1 : 0;
    if (token === '-') return -primary();
    if (/^\d/.test(token)) return Number(token);
    if (/^[A-Za-z_]/.test(token)) {
      const value = Object.hasOwn(names, token) ? names[token] : undefined;
      if (value === undefined) return fail(`"${token}" has no value; known: ${Object.keys(names).join(', ')}`);
      return typeof value === 'string' ? fail(`"${token}" is a text, "${value}"`) : +value;
    }
    return fail(`unexpected "${token}"`);
  };

  const binary = (level: number): number => {
    const next = () => (level + 1 < operators.length ? binary(level + 1) : primary());
    const known = operators[level]!;
    let left = next();
    while (Object.hasOwn(known, tokens[at] ?? '')) {
      const operate = known[tokens[at++]!]!;
      left = operate(left, next());
    }
    return left;
  };

  const value = binary(0);
  if (at < tokens.length) fail(`unexpected "${tokens[at]}"`);
  return value;
}
