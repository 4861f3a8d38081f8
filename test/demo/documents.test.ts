/** The documents as pages beside the page: every link leads to one of them, and to a place that is there. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect, it } from 'vitest';
import { documentPages } from '../../demo/documents/pages.ts';

const linksOf = (html: string): string[] => [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => match[1]!);

it('link to one another without a dead end, and the page links to them', () => {
  const pages = documentPages();
  const dead = (from: string, links: readonly string[]) =>
    links.flatMap((link) => {
      if (/^(https:|mailto:|data:)/.test(link) || /(^|\/)documents\.css$|^(\.\.\/)+$/.test(link)) return [];
      const [file = '', anchor] = link.split('#');
      const target = pages.get(file === '' ? from : posix.join(posix.dirname(from), file));
      const found = target !== undefined && (!anchor || String(target).includes(`id="${anchor}"`));
      return found ? [] : [`${from}: ${link}`];
    });
  expect(pages.size).toBeGreaterThan(60);
  expect([...pages].flatMap(([path, page]) => (typeof page === 'string' ? dead(path, linksOf(page)) : []))).toEqual([]);
  const inPage = linksOf(readFileSync('demo/index.html', 'utf8')).filter((link) => link.startsWith('./documents/'));
  expect(inPage.length).toBeGreaterThan(5);
  expect(
    dead(
      'index.html',
      inPage.map((link) => link.replace('./documents/', '')),
    ),
  ).toEqual([]);
  const guide = pages.get('docs/guides/explain.html') as string;
  expect(guide).toMatch(/<h1 id="where-a-classifier-looks">[\s\S]*<code class="language-ts">/);
  expect(pages.get('shaders/conv-pointwise.wgsl.html')).toMatch(/var&lt;uniform&gt;/);
});
