/** The API reference: its command makes it of the docstrings, with a page for all that the package exports. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { suite } from '../support/suite.ts';
import { linksOf } from './documents.ts';

const run = (command: string, args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: 'docs/api' });
  expect(status, `${command} ${args.join(' ')}:\n${stdout}${stderr}`).toBe(0);
};

it('is made by its command, of every export, and no link in it is dead', ({ skip }) => {
  skip(suite !== 'full', 'left to "npm run test:full": it installs TypeDoc into docs/api');
  const folder = mkdtempSync(join(tmpdir(), 'api-reference-'));
  try {
    if (!existsSync('docs/api/node_modules/typedoc')) run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
    run('npm', ['run', 'docs', '--', '--out', folder]);
    const pages = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = pages.map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
    const textOf = (path: string) => readFileSync(join(folder, path), 'utf8');
    const missing = readFileSync('test/package/api/entries.txt', 'utf8')
      .trim()
      .split('\n')
      .flatMap((line) => {
        const [entry = '', names = ''] = line.split(': ');
        if (names === '') return [];
        // What is exported from elsewhere too has its page there, and is named here.
        const overview = textOf(`${entry}/README.md`);
        return names
          .split(', ')
          .filter((name) => !new RegExp(`(\\[|### )${name}\\b`).test(overview))
          .map((name) => `${entry}: ${name}`);
      });
    expect(missing).toEqual([]);
    const dead = paths.flatMap((path) =>
      linksOf({ path, text: textOf(path) })
        .filter((link) => !/^(https?:|#)/.test(link))
        .filter((link) => !existsSync(join(folder, path, '..', link.split('#')[0]!)))
        .map((link) => `${path}: ${link}`),
    );
    expect(dead).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 300_000);
