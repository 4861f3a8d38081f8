/** The project's Markdown files, and what is in them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { anchorOf } from '../../demo/documents/pages.ts';

export interface Document {
  readonly path: string;
  readonly text: string;
}

/** Those that git knows or would take. */
export function documents(): Document[] {
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    encoding: 'utf8',
  });
  return list
    .split('\n')
    .filter(Boolean)
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

export interface Block {
  /** File and line, for messages. */
  readonly place: string;
  readonly language: string;
  readonly code: string;
}

/** Fenced blocks of code. */
export function blocksOf({ path, text }: Document): Block[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    place: `${path}:${text.slice(0, match.index).split('\n').length}`,
    language: match[1]!,
    code: match[2]!,
  }));
}

export const anchorsOf = ({ text }: Document): Set<string> =>
  new Set([...text.matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1]!)));

/** Addresses of links and pictures, code left out. */
export function linksOf({ text }: Document): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}
