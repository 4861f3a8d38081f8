import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer';
import { DeviceError, MobileNetError, UsageError } from '../errors.ts';
import { type BrowserName, ensureBrowser } from './find-browsers.ts';

export interface LaunchOptions {
  readonly log: (message: string) => void;
  /** Start without any shader cache, as for a first visit. */
  readonly coldCaches?: boolean;
  /** `allowed`: pages that ask get a made-up one, `refused`: none of it; no camera at all unless given. */
  readonly camera?: 'allowed' | 'refused';
  /** An existing folder for the profile and the like; a temporary one unless given. */
  readonly parentFolder?: string | undefined;
  /** Further flags of Chromium. */
  readonly chromeFlags?: readonly string[] | undefined;
}

/**
 * Starts a headless browser with WebGPU and a fresh profile, which is removed when it ends. Chromium runs
 * WebGPU on SwiftShader where Linux shows no GPU (no /dev/dri); WEBGPU_ADAPTER, "software" or "hardware", decides it
 * instead. Throws `UsageError` where WEBGPU_ADAPTER is something else, and `DeviceError` where there is no browser or it
 * does not start.
 */
export async function launchBrowser(
  browser: BrowserName,
  { log, coldCaches, camera, parentFolder = tmpdir(), chromeFlags: flags = [] }: LaunchOptions,
): Promise<Browser> {
  const executablePath = await ensureBrowser(browser, log);
  const { default: puppeteer } = await import('puppeteer');
  const folder = await mkdtemp(join(parentFolder, 'webgpu-browser-'));
  const env = {
    ...process.env,
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? folder,
    ...(coldCaches ? { MESA_SHADER_CACHE_DISABLE: 'true' } : {}),
  };
  const common = {
    executablePath,
    headless: true,
    env,
    userDataDir: join(folder, 'profile'),
    protocolTimeout: 1_800_000,
  } as const;
  removeAtExit(folder);
  try {
    const launched =
      browser === 'chrome'
        ? await puppeteer.launch({ ...common, browser, args: [...chromeFlags(), ...cameraFlags(camera), ...flags] })
        : await puppeteer.launch({
            ...common,
            browser,
            extraPrefsFirefox: { ...firefoxPreferences, ...cameraPrefs(camera) },
          });
    // What is left of it then is removed when the process ends.
    launched.once('disconnected', () => rm(folder, removal).catch(() => {}));
    return launched;
  } catch (cause) {
    if (cause instanceof MobileNetError) throw cause;
    // What the browser itself said, without puppeteer's advice.
    const why = (cause as Error).message.split(/\n+TROUBLESHOOTING/)[0]!.trim();
    throw new DeviceError(`${executablePath} could not be started: ${why}`, { cause });
  }
}

function cameraFlags(camera: LaunchOptions['camera']): string[] {
  if (!camera) return [];
  return ['--use-fake-device-for-media-stream', `--use-fake-ui-for-media-stream${camera === 'refused' ? '=deny' : ''}`];
}

const cameraPrefs = (camera: LaunchOptions['camera']) =>
  camera ? { 'media.navigator.streams.fake': true, 'permissions.default.camera': camera === 'refused' ? 2 : 1 } : {};

const temporary = new Set<string>();

const removal = { recursive: true, force: true, maxRetries: 10 } as const;

/**
 * At the end of the process, since helpers of a browser that has ended go on writing for a moment, and since a process
 * that ends by Ctrl-C has no time for anything else.
 */
function removeAtExit(folder: string): void {
  if (temporary.size === 0) process.once('exit', removeTemporary);
  temporary.add(folder);
}

function removeTemporary(): void {
  for (const folder of temporary) {
    try {
      rmSync(folder, removal);
    } catch {
      // The system clears its temporary folder some day.
    }
  }
}

function usesSoftware(): boolean {
  const adapter = process.env.WEBGPU_ADAPTER;
  if (!adapter) return platform() === 'linux' && !existsSync('/dev/dri');
  if (adapter !== 'software' && adapter !== 'hardware') {
    throw new UsageError(`WEBGPU_ADAPTER is "${adapter}", expected "software" or "hardware"`);
  }
  return adapter === 'software';
}

/** Without them Firefox has no WebGPU on every system that can. */
export const firefoxPreferences = { 'dom.webgpu.enabled': true, 'gfx.webgpu.ignore-blocklist': true } as const;

/** For WebGPU, on SwiftShader where there is no GPU, and for a start without questions. */
export function chromeFlags(): string[] {
  const root = process.getuid?.() === 0;
  return [
    '--enable-unsafe-webgpu',
    ...(usesSoftware()
      ? ['--use-webgpu-adapter=swiftshader']
      : platform() === 'linux'
        ? ['--enable-features=Vulkan']
        : []),
    ...(root ? ['--no-sandbox'] : []),
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
}
