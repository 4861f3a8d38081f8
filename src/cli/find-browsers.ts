import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../errors.ts';

export type BrowserName = 'chrome' | 'firefox';

export const browserNames: readonly BrowserName[] = ['chrome', 'firefox'];

/** Environment variables that name an executable, the first that is set wins. */
const variables: Readonly<Record<BrowserName, readonly string[]>> = {
  chrome: ['CHROME_PATH', 'PUPPETEER_EXECUTABLE_PATH'],
  firefox: ['FIREFOX_PATH'],
};

const usualPlaces: Readonly<Record<BrowserName, Readonly<Record<string, readonly string[]>>>> = {
  chrome: {
    linux: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map((name) => `/usr/bin/${name}`),
    darwin: [
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ],
    win32: [
      'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
      'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
    ],
  },
  firefox: {
    linux: ['firefox', 'firefox-esr'].map((name) => `/usr/bin/${name}`),
    darwin: ['/Applications/Firefox.app/Contents/MacOS/firefox'],
    win32: ['C:\\Program Files\\Mozilla Firefox\\firefox.exe'],
  },
};

/** Debian's packages; Firefox runs WebGPU on Vulkan, for which Mesa has a software driver. */
const debianPackages: Readonly<Record<BrowserName, readonly string[]>> = {
  chrome: ['chromium'],
  firefox: ['firefox-esr', 'mesa-vulkan-drivers'],
};

/** The executable of a browser, or null: environment, puppeteer's cache, usual places. Throws on a wrong variable. */
export function findBrowser(browser: BrowserName): string | null {
  for (const variable of variables[browser]) {
    const path = process.env[variable];
    if (!path) continue;
    if (!existsSync(path)) throw new UsageError(`${variable} is "${path}", where there is no file`);
    return path;
  }
  return cachedBrowser(browser) ?? (usualPlaces[browser][platform()] ?? []).find((path) => existsSync(path)) ?? null;
}

/** `~/.cache/puppeteer/chrome/linux-1.2.3/chrome-linux64/chrome` and the like. */
function cachedBrowser(browser: BrowserName): string | null {
  const cache = join(process.env.PUPPETEER_CACHE_DIR ?? join(homedir(), '.cache', 'puppeteer'), browser);
  if (!existsSync(cache)) return null;
  for (const version of readdirSync(cache).sort().reverse()) {
    for (const folder of readdirSync(join(cache, version))) {
      for (const file of [browser, `${browser}.exe`]) {
        const path = join(cache, version, folder, file);
        if (existsSync(path)) return path;
      }
    }
  }
  return null;
}

const vulkanDrivers = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/** Whether Vulkan has a driver: Firefox on Linux has no WebGPU without one. */
function hasVulkan(): boolean {
  return platform() !== 'linux' || vulkanDrivers.some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
}

/**
 * The executable of a browser, installed first where that can be done: by apt-get as root on Debian, else into
 * puppeteer's cache. Throws `UsageError` that says what to install where it cannot.
 */
export async function ensureBrowser(browser: BrowserName, log: (message: string) => void): Promise<string> {
  const found = findBrowser(browser);
  if (found && (browser === 'chrome' || hasVulkan())) return found;
  const reasons: string[] = [];
  const packages = debianPackages[browser];
  if (platform() === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    log(`installing ${packages.join(' and ')} with apt-get …`);
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
      const { status, stderr } = spawnSync('apt-get', args, { encoding: 'utf8', env: environment });
      if (status !== 0) reasons.push(`apt-get ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`);
    }
  } else if (!found) {
    try {
      log(`downloading ${browser} into puppeteer's cache …`);
      await download(browser);
    } catch (error) {
      reasons.push(`the download failed: ${(error as Error).message}`);
    }
  }
  const installed = findBrowser(browser);
  if (installed && (browser === 'chrome' || hasVulkan())) return installed;
  const what = installed ? 'a Vulkan driver for Firefox' : browser === 'chrome' ? 'Chrome or Chromium' : 'Firefox';
  throw new UsageError(
    `${what} was not found and could not be installed (${reasons.join('; ') || 'no way is known here'}). Install it: ` +
      `on Debian or Ubuntu "sudo apt-get install ${packages.join(' ')}", elsewhere from the browser's own site, ` +
      `or set ${variables[browser].join(' or ')} to its executable`,
  );
}

async function download(browser: BrowserName): Promise<void> {
  const { Browser, BrowserTag, detectBrowserPlatform, install, resolveBuildId } = await import('@puppeteer/browsers');
  const system = detectBrowserPlatform();
  if (!system) throw new Error(`no builds for ${platform()}`);
  const product = browser === 'chrome' ? Browser.CHROME : Browser.FIREFOX;
  const buildId = await resolveBuildId(product, system, BrowserTag.STABLE);
  const cacheDir = process.env.PUPPETEER_CACHE_DIR ?? join(homedir(), '.cache', 'puppeteer');
  await install({ browser: product, buildId, cacheDir });
}
