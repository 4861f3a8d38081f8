import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer';
import { type BrowserName, ensureBrowser } from './find-browsers.ts';

export interface LaunchOptions {
  readonly log: (message: string) => void;
  /** Start without any shader cache, as for a first visit. */
  readonly coldCaches?: boolean;
  /** Extra arguments for Chromium. */
  readonly chromeArguments?: readonly string[];
}

/**
 * Starts a headless browser with WebGPU and a fresh profile. Where Linux shows no GPU (no /dev/dri), or where
 * WEBGPU_ADAPTER is "software", Chromium runs it on SwiftShader. Throws `UsageError` where there is no browser.
 */
export async function launchBrowser(
  browser: BrowserName,
  { log, coldCaches, chromeArguments = [] }: LaunchOptions,
): Promise<Browser> {
  const executablePath = await ensureBrowser(browser, log);
  const { default: puppeteer } = await import('puppeteer');
  const runtime = await mkdtemp(join(tmpdir(), 'webgpu-runtime-'));
  const env = {
    ...process.env,
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? runtime,
    ...(coldCaches ? { MESA_SHADER_CACHE_DISABLE: 'true' } : {}),
  };
  const common = { executablePath, headless: true, env, protocolTimeout: 1_800_000 } as const;
  const launched =
    browser === 'chrome'
      ? await puppeteer.launch({ ...common, browser, args: [...chromeFlags(), ...chromeArguments] })
      : await puppeteer.launch({
          ...common,
          browser,
          extraPrefsFirefox: { 'dom.webgpu.enabled': true, 'gfx.webgpu.ignore-blocklist': true },
        });
  launched.once('disconnected', () => rm(runtime, { recursive: true, force: true }).catch(() => {}));
  return launched;
}

function chromeFlags(): string[] {
  const root = process.getuid?.() === 0;
  const software = process.env.WEBGPU_ADAPTER === 'software' || (platform() === 'linux' && !existsSync('/dev/dri'));
  return [
    '--enable-unsafe-webgpu',
    ...(software ? ['--use-webgpu-adapter=swiftshader'] : platform() === 'linux' ? ['--enable-features=Vulkan'] : []),
    ...(root ? ['--no-sandbox'] : []),
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
}
