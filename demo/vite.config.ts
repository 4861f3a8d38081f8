import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

/** Where files of the catalogue are fetched from in place of their own addresses: VITE_MODEL_MIRROR. */
const mirror = process.env.VITE_MODEL_MIRROR;

/**
 * The page's Content-Security-Policy. Vite's client needs a web socket while developing; the built page talks to its
 * own origin only.
 */
function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    transformIndexHtml: (_html, { server }) => [
      {
        tag: 'meta',
        injectTo: 'head-prepend',
        attrs: {
          'http-equiv': 'Content-Security-Policy',
          content: [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "manifest-src 'self'",
            "worker-src 'self'",
            // What the visitor asks for: a picture's address, a model of the catalogue.
            `connect-src 'self' https:${mirror ? ` ${new URL(mirror).origin}` : ''}${server ? ' ws:' : ''}`,
            "require-trusted-types-for 'script'",
            'trusted-types page',
            "base-uri 'none'",
            "form-action 'none'",
          ].join('; '),
        },
      },
    ],
  };
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [contentSecurityPolicy()],
  server: { fs: { allow: ['..'] } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // A model.json names its shards, so these keep their names and lie side by side.
        assetFileNames: ({ names }) =>
          names.some((name) => /^(faceres|centernet|movenet-lightning)\./.test(name))
            ? 'models/[name][extname]'
            : 'assets/[name]-[hash][extname]',
      },
    },
  },
});
