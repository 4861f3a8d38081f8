import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { documentPages } from './pages.ts';

const BASE = 'documents/';

const styles = (): string =>
  ['../ui/theme.css', '../ui/base.css', 'documents.css']
    .map((name) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8'))
    .join('\n');

/** The documents under documents/ of the page, built and while it is developed. */
export function documents(): Plugin {
  return {
    name: 'documents',
    configureServer({ middlewares }) {
      middlewares.use(`/${BASE}`, (request, response, next) => {
        const path = decodeURIComponent(new URL(request.url ?? '/', 'http://page.test').pathname.slice(1));
        const page = path === 'documents.css' ? styles() : documentPages().get(path);
        if (page === undefined) return next();
        const types = { css: 'text/css', html: 'text/html; charset=utf-8', png: 'image/png', svg: 'image/svg+xml' };
        response.setHeader('Content-Type', types[path.split('.').pop() as keyof typeof types]);
        response.end(page);
      });
    },
    generateBundle() {
      const pages = [...documentPages(), ['documents.css', styles()] as const];
      for (const [path, source] of pages) this.emitFile({ type: 'asset', fileName: `${BASE}${path}`, source });
    },
  };
}
