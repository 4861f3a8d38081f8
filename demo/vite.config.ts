import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { defineConfig, type Plugin } from 'vite';
import { documents } from './documents/plugin.ts';

/** Where files of the catalogue are fetched from in place of their own addresses: VITE_MODEL_MIRROR. */
const mirror = process.env.VITE_MODEL_MIRROR;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * The page's Content-Security-Policy. Vite's client needs a web socket while developing; the built page talks to its own
 * origin, and to others only where the visitor asks.
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
            "script-src 'self' 'wasm-unsafe-eval'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "manifest-src 'self'",
            "worker-src 'self'",
            // What the visitor asks for: a picture's address, a model of the catalogue.
            `connect-src 'self' https:${mirror ? ` ${new URL(mirror).origin}` : ''}${server ? ' ws:' : ''}`,
            "require-trusted-types-for 'script'",
            'trusted-types page mobilenet-webgpu',
            "base-uri 'none'",
            "form-action 'none'",
          ].join('; '),
        },
      },
    ],
  };
}

/** What makes the page one that is installed and works offline: icons, a manifest, a service worker that knows its files. */
function installable(): Plugin {
  return {
    name: 'installable',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'link', injectTo: 'head', attrs: { rel: 'manifest', href: './manifest.webmanifest' } },
      { tag: 'link', injectTo: 'head', attrs: { rel: 'apple-touch-icon', href: './icon-192.png' } },
    ],
    async generateBundle(_options, bundle) {
      const emit = (fileName: string, source: string | Uint8Array) =>
        this.emitFile({ type: 'asset', fileName, source });
      const icon = readFileSync(here('favicon.svg'));
      const sizes = [192, 512];
      for (const size of sizes) emit(`icon-${size}.png`, await painted(icon, size));
      const icons = sizes.map((size) => ({ src: `./icon-${size}.png`, sizes: `${size}x${size}`, type: 'image/png' }));
      const manifest = {
        name: 'MobileNet on WebGPU',
        short_name: 'MobileNet',
        description: 'MobileNets look at your photograph, your camera or your drawing, on your own GPU.',
        start_url: './',
        scope: './',
        display: 'standalone',
        background_color: '#f6f6f2',
        theme_color: '#2b54c6',
        icons: [...icons, { ...icons[1], purpose: 'maskable' }],
      };
      emit('manifest.webmanifest', JSON.stringify(manifest));
      // All but documents, models and other engines, which are kept once they are used.
      const files = Object.keys(bundle).filter(
        (name) => /\.(css|js|svg)$/.test(name) && !/^documents\/|litert_wasm/.test(name),
      );
      const version = createHash('sha256')
        .update(JSON.stringify(files))
        .update(readFileSync(here('index.html')))
        .digest('hex')
        .slice(0, 16);
      const list = ['./', './manifest.webmanifest', './icon-192.png', ...files.map((name) => `./${name}`)];
      const worker = readFileSync(here('offline/service-worker.js'), 'utf8')
        .replace('const FILES = [];', `const FILES = ${JSON.stringify(list)};`)
        .replace("const VERSION = '';", `const VERSION = '${version}';`);
      emit('service-worker.js', worker);
    },
  };
}

/** An icon on the page's paper, with room around it for masks. */
async function painted(svg: Uint8Array, size: number): Promise<Uint8Array> {
  const canvas = createCanvas(size, size);
  const context = canvas.getContext('2d');
  context.fillStyle = '#f6f6f2';
  context.fillRect(0, 0, size, size);
  context.drawImage(await loadImage(Buffer.from(svg)), size * 0.15, size * 0.15, size * 0.7, size * 0.7);
  return canvas.encode('png');
}

export default defineConfig({
  root: here('.'),
  base: './',
  plugins: [contentSecurityPolicy(), installable(), documents()],
  server: { fs: { allow: ['..'] } },
  build: {
    target: 'es2022',
    outDir: here('../dist-page'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
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
