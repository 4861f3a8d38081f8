/** The repository's documents as pages: what README.md and the guides lead to, from link to link. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Marked, type Tokens } from 'marked';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Copied as they are; everything else that is linked becomes a page. */
const isPicture = (path: string): boolean => /\.(png|svg)$/.test(path);

const isFile = (path: string): boolean => existsSync(at(path)) && statSync(at(path)).isFile();

/** Of the functions: what TypeDoc made, where that was run. */
const reference = ['docs/api/reference/README.md', 'docs/api/README.md'].find(isFile)!;

const roots = ['README.md', 'docs/guides/README.md', reference];

/** Where a document is among the pages. */
const pageOf = (path: string): string => (isPicture(path) ? path : `${path.replace(/\.md$/, '')}.html`);

/** As GitHub names a heading's anchor. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[`*]/g, '')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Every page by its path, as HTML; pictures as they are. */
export function documentPages(): Map<string, string | Uint8Array> {
  const pages = new Map<string, string | Uint8Array>();
  const waiting = [...roots];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (pages.has(pageOf(path))) continue;
    const { page, linked } = isPicture(path) ? { page: readFileSync(at(path)), linked: [] } : made(path);
    pages.set(pageOf(path), page);
    waiting.push(...linked);
  }
  return pages;
}

/** One document, and the files that it links to. */
function made(path: string): { readonly page: string; readonly linked: readonly string[] } {
  const text = readFileSync(at(path), 'utf8');
  if (!path.endsWith('.md'))
    return { page: framed(path, path, `<pre><code>${escaped(text)}</code></pre>`), linked: [] };
  const linked: string[] = [];
  /** An address as the pages have it; null where no file is meant. */
  const addressOf = (href: string): string | null => {
    if (/^(https?:|mailto:|#)/.test(href)) return href;
    const [file = '', anchor] = href.split('#');
    const target = posix.join(posix.dirname(path), file);
    if (!isFile(target)) return null;
    linked.push(target);
    return `${pageOf(file)}${anchor ? `#${anchor}` : ''}`;
  };
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text: heading }: Tokens.Heading) {
        return `<h${depth} id="${escaped(anchorOf(heading))}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        const address = addressOf(href);
        const words = this.parser.parseInline(tokens);
        return address === null ? words : `<a href="${escaped(address)}">${words}</a>`;
      },
      image({ href, text: alternative }: Tokens.Image) {
        return `<img src="${escaped(addressOf(href) ?? href)}" alt="${escaped(alternative)}">`;
      },
      table(token: Tokens.Table) {
        const row = (tag: string, cells: readonly Tokens.TableCell[]) =>
          `<tr>${cells.map(({ tokens, align }) => `<${tag}${align ? ` class="${align}"` : ''}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>`;
        const body = token.rows.map((cells) => row('td', cells)).join('\n');
        return `<div class="scroll" tabindex="0" role="group" aria-label="Table"><table><thead>${row('th', token.header)}</thead><tbody>${body}</tbody></table></div>\n`;
      },
    },
  });
  const body = marked.parse(text, { async: false });
  const title = /^# (.*)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? path;
  return { page: framed(path, title, body), linked };
}

const menu = [
  ['docs/guides/README.md', 'Guides'],
  [reference, 'API'],
  ['docs/supported.md', 'Models and operators'],
  ['docs/kernels.md', 'Kernels'],
  ['docs/devices.md', 'Devices'],
  ['docs/peers.md', 'Peers'],
  ['README.md', 'The engine'],
] as const;

function framed(path: string, title: string, body: string): string {
  const up = '../'.repeat(path.split('/').length - 1);
  const links = menu.map(([target, name]) => {
    const here = target === path ? ' aria-current="page"' : '';
    return `<a href="${up}${pageOf(target)}"${here}>${name}</a>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · MobileNet on WebGPU</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${up}documents.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><a class="home" href="${up}../">MobileNet on WebGPU</a><nav aria-label="Documents">${links.join('\n')}</nav></header>
<main id="main" class="document">
${body}</main>
</body>
</html>
`;
}
