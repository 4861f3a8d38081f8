import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MobileNetError } from '../../src/errors.ts';
import { enginePage, engineServer, freshEnginePage } from './engine-page.ts';
import { browsers } from './suite.ts';

const module = '/test/support/harness-in-page.ts';

describe.each(browsers)('a page in %s', (browser) => {
  it('runs a shader with overrides on typed arrays from Node', async () => {
    const page = await enginePage(browser);
    // Every product and sum is exact in float32; no multiple of the workgroup.
    const a = Float32Array.from({ length: 1003 }, (_, i) => i - 500);
    const b = Float32Array.from({ length: 1003 }, (_, i) => i / 4);
    const { result, label } = await page.call<{ result: Float32Array; label: string }>(module, 'scaledAdd', {
      a,
      b,
      scale: -2.5,
    });
    expect(result).toBeInstanceOf(Float32Array);
    expect(result).toEqual(a.map((value, i) => value * -2.5 + b[i]!));
    expect(label).toBe('scaled-add');
  });

  it('tells its adapter, and is isolated for fine timers', async () => {
    const page = await enginePage(browser);
    const { isolated, info, features, storageBuffers } = await page.call<{
      isolated: boolean;
      info: Record<string, string>;
      features: string[];
      storageBuffers: number;
    }>(module, 'environment');
    expect(isolated).toBe(true);
    expect(Object.values(info).every((value) => typeof value === 'string')).toBe(true);
    expect(features).toContain('timestamp-query');
    expect(storageBuffers).toBeGreaterThanOrEqual(8);
  });

  it('hands an error over with its name, code and message', async () => {
    const page = await enginePage(browser);
    const error = await page.call(module, 'fail').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(MobileNetError);
    expect(error).toMatchObject({ name: 'GraphError', code: 'graph', message: 'tensor "x" has no producer' });
    await expect(page.call('/test/support/no-such-module.ts', 'fail')).rejects.toThrow(/no-such-module/);
  });

  it('reports progress while a call runs', async () => {
    const page = await enginePage(browser);
    const messages: string[] = [];
    page.onProgress = (message) => messages.push(message);
    try {
      expect(await page.call(module, 'countTo', 3)).toBe(3);
    } finally {
      page.onProgress = () => {};
    }
    expect(messages).toEqual(['step 1', 'step 2', 'step 3']);
  });

  it('reads files of a lent folder, and none outside it', async () => {
    const page = await enginePage(browser);
    const parent = mkdtempSync(join(tmpdir(), 'lent-'));
    try {
      const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i * 7);
      const folder = mkdtempSync(join(parent, 'folder-'));
      writeFileSync(join(folder, 'a model.bin'), bytes);
      writeFileSync(join(parent, 'secret'), 'secret');
      const address = (await engineServer()).lend(`harness-${browser}`, folder);
      expect(await page.call(module, 'fetchBytes', `${address}/a%20model.bin`)).toEqual(bytes);
      for (const path of ['missing', '..%2Fsecret', '%2e%2e%2fsecret', '..%5Csecret']) {
        await expect(page.call(module, 'fetchBytes', `${address}/${path}`), path).rejects.toThrow('404');
      }
    } finally {
      rmSync(parent, { recursive: true });
    }
  });

  it('fails the call in flight, and later ones, when the browser ends', async () => {
    const page = await freshEnginePage(browser);
    const call = page.call(module, 'never').catch((caught: unknown) => caught);
    page.browser.process()!.kill('SIGKILL');
    expect(await call).toMatchObject({ name: 'MobileNetError', code: 'page-ended' });
    await expect(page.call(module, 'countTo', 1)).rejects.toMatchObject({ code: 'page-ended' });
  });
});

it('fails the call in flight when the page crashes', async () => {
  const page = await freshEnginePage('chrome');
  try {
    const call = page.call(module, 'never').catch((caught: unknown) => caught);
    await page.page.goto('chrome://crash').catch(() => {});
    expect(await call).toMatchObject({ code: 'page-ended', message: expect.stringMatching(/^chrome: .*crashed/) });
  } finally {
    await page.close();
  }
});
