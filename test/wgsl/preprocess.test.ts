import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { ShaderError } from '../../src/errors.ts';
import { evaluate } from '../../src/wgsl/expression.ts';
import { preprocess } from '../../src/wgsl/preprocess.ts';

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

describe('expressions of directives', () => {
  it.each([
    ['2 + 3 * 4', 14],
    ['(2 + 3) * 4', 20],
    ['7 / 2', 3],
    ['-7 / 2', -3],
    ['7 % 4 - 1', 2],
    ['10 - 3 - 2', 5],
    ['A == 4 && !B', 1],
    ['A < 4 || A >= 5', 0],
    ['A != 4', 0],
    ['!(A > 3) || B', 0],
  ])('%s = %i', (expression, value) => {
    expect(evaluate(expression, { A: 4, B: false }, 'test')).toBe(value);
  });

  it.each(['A +', '(A', 'A A', 'C', '1 $ 2', '', '__proto__', 'constructor'])('refuses "%s"', (expression) => {
    expect(() => evaluate(expression, { A: 4 }, 'some.wgsl:7')).toThrow(ShaderError);
    expect(() => evaluate(expression, { A: 4 }, 'some.wgsl:7')).toThrow(/some\.wgsl:7/);
  });
});

describe('shader directives', () => {
  it('repeats and numbers lines, nested too', () => {
    const source = [
      '#unroll y 2',
      '#unroll x N',
      'let v$(y)_$x = $(y * N + x) + f($x, $((y + 1) * 2));',
      '#end',
      '#end',
    ];
    expect(lines(preprocess('t', source.join('\n'), { N: 2 }))).toEqual([
      'let v0_0 = 0 + f(0, 2);',
      'let v0_1 = 1 + f(1, 2);',
      'let v1_0 = 2 + f(0, 4);',
      'let v1_1 = 3 + f(1, 4);',
    ]);
  });

  it('keeps the branch whose condition holds', () => {
    const source = '#if A\na\n#elif N == 2\nb\n#else\nc\n#endif\nd';
    expect(lines(preprocess('t', source, { A: true, N: 2 }))).toEqual(['a', 'd']);
    expect(lines(preprocess('t', source, { A: false, N: 2 }))).toEqual(['b', 'd']);
    expect(lines(preprocess('t', source, { A: false, N: 3 }))).toEqual(['c', 'd']);
  });

  it('looks at nothing of a branch that does not hold, but at its conditions where they might', () => {
    const source =
      '#if A\na\n#else\n$nope\n#unroll i NOPE\n#if NOPE\nb\n#endif\n#end\n#include nope\n#if NOPE\n#endif\n#endif';
    expect(lines(preprocess('t', source, { A: true }))).toEqual(['a']);
    expect(() => preprocess('t', source, { A: false })).toThrow(/t:4: .*nope/);
    expect(() => preprocess('t', '#if A\n#elif NOPE\n#endif', { A: true })).toThrow(/t:2: .*NOPE/);
    expect(() => preprocess('t', '#if A\n#else\n#elif A\n#endif', { A: true })).toThrow(/t:3: "#elif" without "#if"/);
  });

  it('resolves conditions on the counters of the loops around them', () => {
    const source = '#unroll i 4\n#if i % 2 == 1 && i < LAST\nkeep $i\n#endif\n#end';
    expect(lines(preprocess('t', source, { LAST: 3 }))).toEqual(['keep 1']);
  });

  it('repeats nothing where the count is zero', () => {
    expect(lines(preprocess('t', 'a\n#unroll i N - 1\nb$i\n#end\nc', { N: 1 }))).toEqual(['a', 'c']);
  });

  it.each([
    ['an unknown directive', '#ifdef A\n#endif'],
    ['an unknown name in a condition', '#if NOPE\n#endif'],
    ['an unknown name in the text', 'let x = $nope;'],
    ['an unroll without its end', '#unroll i 2\nx'],
    ['an end without its unroll', 'x\n#end'],
    ['an if without its endif', '#if A\nx'],
    ['an endif without its if', 'x\n#endif'],
    ['an unroll without a count', '#unroll i\n#end'],
    ['an open parenthesis', 'let x = $(1 + 2;'],
    ['a lone dollar', 'cost $ 5'],
  ])('refuses %s, naming file and line', (_, source) => {
    expect(() => preprocess('some.wgsl', source, { A: true })).toThrow(ShaderError);
    expect(() => preprocess('some.wgsl', source, { A: true })).toThrow(/some\.wgsl/);
  });

  it('takes in fragments, which know the names around them and their arguments', () => {
    const fragments = {
      sum: '// of N\n#unroll i N\n$total$i += $value;\n#end',
      outer: 'before\n#include sum N=M+1 total=t value=f($i, K)\nafter',
    };
    expect(lines(preprocess('t', '#include outer M=1\nend', { K: 7 }, fragments))).toEqual([
      'before',
      '// of N',
      't0 += f(0, K);',
      't1 += f(1, K);',
      'after',
      'end',
    ]);
  });

  it('takes in a fragment again with other arguments, and in each round of a loop that gives it others', () => {
    const fragments = { line: 'x$(N)' };
    const source = '#include line N=7\n#unroll k 2\n#include line N=k\n#end';
    expect(lines(preprocess('t', source, {}, fragments))).toEqual(['x7', 'x0', 'x1']);
  });

  it('resolves conditions in and around fragments', () => {
    const fragments = { one: '#if A\na\n#else\nb\n#endif' };
    const source = '#if B\n#include one A=1\n#else\n#include one A=0\n#endif';
    expect(lines(preprocess('t', source, { B: true }, fragments))).toEqual(['a']);
    expect(lines(preprocess('t', source, { B: false }, fragments))).toEqual(['b']);
  });

  it.each([
    ['an unknown fragment', '\n#include nope', /some\.wgsl:2: there is no fragment "nope"; known: /],
    ['a fragment of another language', '#include constructor', /there is no fragment "constructor"/],
    ['a fragment that includes itself', '#include self', /fragments\/self\.wgsl:2: .*self → self/],
    ['fragments in a circle', '#include one', /fragments\/two\.wgsl:1: .*one → two → one/],
    ['a fragment twice', '#include plain\n#include plain', /some\.wgsl:2: "plain" is included twice/],
    ['one twice with equal arguments', '#include plain N=1+1\n#include plain N=2', /"plain N=2" is included twice/],
    [
      'one within another and again',
      '#include plain\n#include holds',
      /fragments\/holds\.wgsl:1: "plain" is included twice/,
    ],
    ['a fragment once in each round', '#unroll i 2\n#include plain\n#end', /some\.wgsl:2: "plain" is included twice/],
    ['a text in an expression', '#include counts times=x', /fragments\/counts\.wgsl:1: .*"times" is a text/],
    ['a text of itself', '#include says text=$text', /"text" has no value/],
  ])('refuses %s, naming file and line', (_, source, message) => {
    const fragments = {
      plain: 'x',
      self: 'x\n#include self',
      one: '#include two',
      two: '#include one',
      holds: '#include plain',
      counts: '#unroll i times\n#end',
      says: '$text',
    };
    expect(() => preprocess('some.wgsl', source, {}, fragments)).toThrow(ShaderError);
    expect(() => preprocess('some.wgsl', source, {}, fragments)).toThrow(message);
    expect(() => preprocess('some.wgsl', source, {}, fragments)).toThrow(/some\.wgsl|fragments\//);
  });

  it('gives the same text for the same constants', () => {
    const source = '#unroll i 3\n#if A\nx$i\n#endif\n#end';
    expect(preprocess('t', source, { A: true })).toBe(preprocess('t', source, { A: true }));
  });
});

describe('conditions beside wgsl-preprocessor', () => {
  const names = ['A', 'B', 'C'] as const;
  const name = fc.constantFrom(...names);
  /** Lines, and conditions around lines, some within others. */
  const { block } = fc.letrec<{ block: string[]; conditional: string[] }>((tie) => ({
    block: fc
      .array(
        fc.oneof(
          { maxDepth: 4 },
          fc.nat(99).map((n) => [`line ${n}`]),
          tie('conditional'),
        ),
        { maxLength: 4 },
      )
      .map((parts) => parts.flat()),
    conditional: fc
      .tuple(name, tie('block'), fc.array(fc.tuple(name, tie('block')), { maxLength: 3 }), fc.option(tie('block')))
      .map(([first, then, others, last]) => [
        `#if ${first}`,
        ...then,
        ...others.flatMap(([other, lines]) => [`#elif ${other}`, ...lines]),
        ...(last ? ['#else', ...last] : []),
        '#endif',
      ]),
  }));

  /** Cut where a template literal would be cut, at the conditions, whose values stand between the pieces. */
  function byTemplateTag(text: string, values: Readonly<Record<string, boolean>>): string {
    const [first, ...others] = text.split(/(?<=^#(?:if|elif) )([A-C])$/m);
    const pieces = [first!, ...others.filter((_, i) => i % 2 === 1)];
    return wgsl(pieces, ...others.filter((_, i) => i % 2 === 0).map((condition) => values[condition]));
  }

  it('keep the same lines, however they nest', () => {
    let kept = 0;
    const truth = fc.record({ A: fc.boolean(), B: fc.boolean(), C: fc.boolean() });
    fc.assert(
      fc.property(block, truth, (parts, values) => {
        const text = parts.join('\n');
        const found = lines(preprocess('t', text, values));
        kept += found.length;
        expect(found).toEqual(lines(byTemplateTag(text, values)));
      }),
      { numRuns: 500, seed: 1 },
    );
    expect(kept).toBeGreaterThan(500);
  });
});
