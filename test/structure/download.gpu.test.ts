/** What a page downloads of the built package, counted from its requests. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { launchBrowser } from '../../src/cli/launch-browser.ts';
import { prepare } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';

const folder = mkdtempSync(join(tmpdir(), 'mobilenet-webgpu-download-'));
const network = writeTflite(prepare(buildArchitecture('v2-0.35-96')));
let server: Server;
let url = '';
/** Bytes of each module that was asked for, gzipped. */
const sent = new Map<string, number>();

beforeAll(async () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  await build({ root, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } });
  server = createServer((request, response) => {
    const name = new URL(request.url!, 'http://page.test').pathname.slice(1);
    if (name === '') return response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>page</title>');
    if (name === 'model.tflite') return response.end(network);
    if (!/^[\w-]+\.js$/.test(name)) return response.writeHead(404).end();
    const bytes = readFileSync(join(folder, name));
    sent.set(name, gzipSync(bytes).length);
    return response.setHeader('Content-Type', 'text/javascript').end(bytes);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(async () => {
  await new Promise((closed) => server.close(closed));
  rmSync(folder, { recursive: true });
});

it('until a float TensorFlow Lite V2 has named its first photograph and tuned, at most 75 kB of JavaScript', async () => {
  // A browser of its own: its first page has nothing to wait for.
  const browser = await launchBrowser('chrome', { log: () => {}, parentFolder: process.env.GPU_TEST_FOLDER });
  try {
    const [page] = await browser.pages();
    await page!.goto(url);
    // As text: Vitest would rewrite the import.
    const best = await page!.evaluate(`(async () => {
      const { load } = await import('/index.js');
      const model = await load('model.tflite', { device: 'webgpu' });
      const canvas = new OffscreenCanvas(120, 90);
      const context = canvas.getContext('2d');
      for (let x = 0; x < 120; x++) {
        context.fillStyle = 'hsl(' + 3 * x + ' 80% 50%)';
        context.fillRect(x, x / 2, 40, 30);
      }
      const photograph = await canvas.convertToBlob({ type: 'image/jpeg' });
      const top = await model.classify(photograph, { image: 'keras' });
      await model.tuned;
      model.dispose();
      return top.length;
    })()`);
    expect(best).toBe(5);
    const total = [...sent.values()].reduce((sum, bytes) => sum + bytes, 0);
    const listed = [...sent].map(([name, bytes]) => `${name} ${bytes}`).join(', ');
    expect(sent.has('tuning.js'), listed).toBe(true);
    expect(total, listed).toBeLessThanOrEqual(75_000);
  } finally {
    await browser.close();
  }
});
