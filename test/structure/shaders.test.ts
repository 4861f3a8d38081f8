import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compactShader } from '../../vite.config.ts';

const folder = fileURLToPath(new URL('../../shaders/', import.meta.url));

/** Words, numbers, directives' lines, and operators, the longest first. */
const tokensOf = (text: string): readonly string[] =>
  text
    .replace(/\/\/.*/g, '')
    .match(/^\s*#.*$|[\w.]+|->|--|\+\+|<<=|>>=|&&|\|\||<<|>>|[-+*/%&|^<>=!]=|\S/gm)!
    .map((token) => token.trim());

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.wgsl'));

it('shaders travel with the tokens that they are written in, in fewer bytes', () => {
  expect(files.length).toBeGreaterThan(30);
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(tokensOf(compactShader(text)), file).toEqual(tokensOf(text));
    expect(compactShader(text).length, file).toBeLessThan(text.length);
  }
  expect(tokensOf('a - -b')).toEqual(['a', '-', '-', 'b']);
  expect(tokensOf(compactShader('let x = a - -b;'))).toEqual(tokensOf('let x = a - -b;'));
});
